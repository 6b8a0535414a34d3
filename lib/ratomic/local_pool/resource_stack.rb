# frozen_string_literal: true

require_relative "closer"
require_relative "wait_queue"
require_relative "slot"

module Ratomic
  class LocalPool
    # What one Ractor owns: +size+ slots, some with a resource in them, and the line of threads that wait for one.
    # A resource is made and closed outside the lock, by the thread that holds its slot, so a slow server holds up only
    # the one who talks to it, and there are never more than +size+ resources alive.
    #
    # {#claim}, {#give} and {#checkin} expect the caller to have interrupts masked ({Pool::Waiting::NEVER}).
    class ResourceStack
      # @param factory [#call] makes a resource
      # @param closer [Closer] closes one
      def initialize(size, factory, closer)
        @factory = factory
        @closer = closer
        @lock = Thread::Mutex.new
        @line = WaitQueue.new(@lock)
        @slots = Array.new(size) { Slot.new(self) }
        @idle = @slots.dup # full ones at the end, where they are taken from
        @generation = 0
        @closed = false
      end

      # @param lent [Boolean] whether it is for +with+
      # @return [Slot, nil] nil when time is up
      # @raise [ClosedError]
      # @raise [TrapError]
      def claim(timeout, lent:)
        Pool::Waiting.timeout(timeout)
        waiter = WaitQueue::Waiter.new(lent)
        @lock.synchronize { waiter.take(free_slot) || @line.wait(waiter, timeout) { free_slot } }
        done = waiter.slot
      rescue ThreadError
        Pool::Trap.told { raise }
      ensure
        # Handed over at the moment in which an interrupt ended the wait.
        give(waiter.slot) if waiter&.slot && !done
      end

      # Sees to it that the slot has a usable resource.
      # Interrupts are let in only where the factory blocks: a resource that was made is never dropped on the way here.
      def fill(slot)
        @closer.drop(slot) if stale?(slot)
        return unless slot.resource.nil?

        slot.generation = @generation
        Thread.handle_interrupt(Pool::Waiting::ON_BLOCKING) { slot.resource = @factory.call }
        raise Error, "the factory of the pool returned nil instead of a resource" if slot.resource.nil?
      end

      # Takes a slot back. A resource that is broken, outdated or no longer wanted is closed before its place is free.
      def give(slot)
        stale = @lock.synchronize { stale?(slot).tap { |yes| pass_on(slot) unless yes } }
        retire(slot) if stale
      end

      # @raise [OwnershipError]
      def checkin(resource, discard: false)
        slot = @lock.synchronize { @slots.find { |one| one.checked_out?(resource) }&.hold(Thread.current, true) }
        raise OwnershipError, foreign(resource) if slot.nil?

        slot.discarded ||= discard
        give(slot)
      end

      # @return [Integer]
      def available
        @lock.synchronize { @slots.count(&:free?) }
      end

      # @raise [ClosedError]
      def reload
        withdraw do
          refuse_if_closed
          @generation += 1
        end
      end

      def close
        withdraw do
          @closed = true
          @line.wake_all
        end
      end

      def closed?
        @closed
      end

      # @return [Array] all that are made, lent or not
      def resources
        @slots.filter_map(&:resource)
      end

      # The thread ends; what it checked out and did not give back is closed.
      # @param last [Boolean] whether the Ractor ends with it, and so the pool
      def leave(thread, last)
        close if last
      ensure
        @slots.each { |slot| @closer.drop(slot) if slot.holder == thread }
      end

      # @return [String] the message for {Ratomic::TimeoutError}
      def none_free(timeout)
        in_use, waiting = @lock.synchronize { [@slots.count { |slot| !slot.free? }, @line.size] }
        "no resource became free within #{timeout} s: #{in_use} are in use, of #{@slots.size} in this Ractor, " \
          "#{waiting} more threads wait; raise size: or timeout:, or look for a block that keeps its resource too long"
      end

      private

      # Under the lock. A slot of a thread that is no more is free, but its resource may be in any state.
      def free_slot
        refuse_if_closed
        @idle.pop || @slots.find(&:orphan?)&.tap { |orphan| orphan.discarded = true }
      end

      # Under the lock.
      def pass_on(slot)
        slot.release
        return if !@closed && @line.hand(slot)

        slot.resource.nil? ? @idle.unshift(slot) : @idle.push(slot)
      end

      def stale?(slot)
        !slot.resource.nil? && (slot.discarded || @closed || slot.generation != @generation)
      end

      def retire(slot)
        @closer.drop(slot)
      ensure
        @lock.synchronize { pass_on(slot) }
      end

      # Takes the idle resources out of the game and closes them.
      # @raise the first error of closing one, after all were closed
      def withdraw(&decision)
        full = []
        Thread.handle_interrupt(Pool::Waiting::NEVER) do
          @lock.synchronize do
            decision.call
            full, @idle = @idle.partition(&:resource)
            full.each { |slot| slot.hold(Thread.current, true) }
          end
          @closer.close_all(full)
        ensure
          @lock.synchronize { full.each { |slot| pass_on(slot) } }
        end
      end

      def refuse_if_closed
        raise ClosedError, "this Ractor's pool of #{@slots.size} is closed; make a new LocalPool" if @closed
      end

      def foreign(resource)
        "this #{Reflection.class_of(resource)} is not checked out here: it belongs to another pool or Ractor, was " \
          "checked in before, or was lent by `with`, which takes it back itself"
      end
    end
  end
end
