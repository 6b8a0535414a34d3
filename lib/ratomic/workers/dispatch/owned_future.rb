# frozen_string_literal: true

require_relative "../future"

module Ratomic
  module Workers
    # The future of a dispatch with `results: :owned`: the results are the caller's own, not frozen, and of any kind.
    #
    # They are handed over once, to the thread and Ractor that ask first, by {#value}, {#value!}, {#each} or
    # {#each_completed}. After that these raise {TakenError}; {#wait}, {#ready?} and {#progress} go on as before. A wait
    # that ends with a {WaitTimeoutError} has taken nothing, unless {#each} or {#each_completed} had yielded something.
    #
    # Nothing is copied, walked or frozen where a worker's share of the items is worth it: the worker ends, its heap is
    # handed over with all that it has made, and another one that was started before takes its place. A smaller share of
    # plain data comes as a copy. {Pool#explain} says which of the two it would be.
    #
    # So results come by share: `each` yields nothing of a share before its worker has ended. After {#cancel} the
    # results so far arrive at once if they can be copied (Marshal), and otherwise when the running item has ended. If
    # the program drops the future, its results are collected.
    class OwnedFuture < Future
      # Seconds between two looks at whether a share has arrived, while more is on its way.
      CHECK_INTERVAL_S = 0.01
      private_constant :CHECK_INTERVAL_S

      # @param timeout [Numeric, nil] seconds; nil waits for ever, 0 does not wait
      # @return [Array] not frozen: the result of each item in the order of the items, a {Failure} where there is none;
      #   nothing for an item that was dropped
      # @raise [WaitTimeoutError] with the counts; nothing was taken
      # @raise [TakenError] the second time, and in a forked child
      def value(timeout: nil)
        right.check
        await_all(timeout)
        take_all
      end

      # As {#value}, but raises the first Failure; then nothing was taken.
      # @return [Array] not frozen, without Failures
      # @raise [ItemError, ItemTimeoutError, DispatchTimeoutError, CancelledError, ShutdownError, WaitTimeoutError,
      #   TakenError]
      def value!(timeout: nil)
        right.check
        await_all(timeout)
        @completion.to_a.each_with_index { |slot, index| raise named(slot, index).to_error if Failure === slot }
        take_all.each { |result| raise result.to_error if Failure === result }
      end

      # The Failures of items. Takes nothing: the results can be taken before and after. (What could not be handed over,
      # in a forked child or by a result that does not cross, is a Failure only in what {#value} returns.)
      # @see Failing#failures
      def failures(timeout: nil)
        await_all(timeout)
        slots = @completion.to_a
        failed = slots.each_index.select { |index| Failure === slots[index] }
        Ractor.make_shareable(failed.map { |index| named(slots[index], index) })
      end

      # @see Future#ready?
      def ready?
        super && homes.all?(&:arrived?)
      end

      # Yields each result in the order of the items, share by share.
      # @see Future#each
      # @raise [TakenError]
      def each(timeout: nil)
        return enum_for(:each, timeout: timeout) { kept } unless block_given?

        limit = Clock.limit(timeout)
        taking do |unpacking|
          size.times do |index|
            await_slot(index, limit, timeout)
            arrive(@completion[index], limit, timeout)
            result = unpacking.call.take(index)
            yield result unless Vacancy === result
          end
        end
      end

      # Yields each result as its share comes.
      # @see Future#each_completed
      # @raise [TakenError]
      def each_completed(timeout: nil)
        return enum_for(:each_completed, timeout: timeout) { kept } unless block_given?

        limit = Clock.limit(timeout)
        taking do |unpacking|
          each_arrived(limit, timeout) do |index|
            result = unpacking.call.take(index)
            yield result, index unless Vacancy === result
          end
        end
      end

      # @see Future#slots
      # @api private
      def slots(timeout: nil)
        right.check
        await_all(timeout)
        take_slots
      end

      private

      # Waits for the results, and for the end of the workers that have made them.
      def await(timeout)
        limit = Clock.limit(timeout)
        super && homes.all? { |home| await_home(home, limit) }
      end

      def right
        @batch.handover
      end

      def take_all
        slots = take_slots
        @completion.vacant.zero? ? slots : slots.grep_v(Vacancy)
      end

      # @return [Array] with a {Vacancy} for an item that has no result
      def take_slots
        Interrupts.deferred do
          all = homes
          right.claim(all)
          Unpacking.new(@engine, @batch).all(all)
        end
      end

      # @yieldparam unpacking [Proc] which takes the right to the results the first time that it is called
      def taking
        right.check
        unpacking = nil
        begun = lambda do
          unpacking ||= Interrupts.deferred do
            right.claim(homes)
            Unpacking.new(@engine, @batch)
          end
        end
        attend(nil) { yield begun }
        begun.call
        self
      end

      # @return [Array<OwnedResults>] of the results so far
      def homes
        found = {}.compare_by_identity
        @completion.filed.times { |number| add_homes(found, *@completion.range(number)) }
        found.keys
      end

      # Adds the homes of results that were filed together. They have one home, unless each was copied by itself.
      def add_homes(found, first, count)
        first.upto(first + count - 1) do |index|
          slot = @completion[index]
          next unless OwnedResults === slot

          found[slot] = true
          break unless slot.copied?
        end
      end

      def await_home(home, limit)
        return true if home.arrived?

        NestedDispatch.wait(@engine, Clock.left(limit)) { |seconds| home.wait(seconds) }
      end

      def arrive(slot, limit, timeout)
        raise_timeout(timeout) unless !(OwnedResults === slot) || await_home(slot, limit)
      end

      # @yieldparam index [Integer] of a result that can be taken
      def each_arrived(limit, timeout, &block)
        travelling = {}.compare_by_identity # home => indexes
        number = seen = 0
        while seen < size
          if filed?(number + 1, travelling.empty? ? nil : CHECK_INTERVAL_S, limit, timeout)
            first, count = @completion.range(number)
            sort(first, count, travelling, &block)
            number += 1
            seen += count
          end
          travelling.delete_if { |home, indexes| indexes.each(&block) if home.arrived? }
        end
        travelling.each do |home, indexes|
          arrive(home, limit, timeout)
          indexes.each(&block)
        end
      end

      def sort(first, count, travelling)
        first.upto(first + count - 1) do |index|
          slot = @completion[index]
          OwnedResults === slot && !slot.arrived? ? (travelling[slot] ||= []) << index : yield(index)
        end
      end

      # @param seconds [Numeric, nil] to wait at most
      # @return [Boolean] whether that many ranges were filed
      def filed?(ranges, seconds, limit, timeout)
        return true if @completion.filed >= ranges

        wait = [Clock.left(limit), seconds].compact.min
        found = helped { NestedDispatch.wait(@engine, wait) { |left| @completion.wait_filed(ranges, left) } }
        raise_timeout(timeout) unless found || limit.nil? || Clock.now < limit
        found
      end
    end
  end
end
