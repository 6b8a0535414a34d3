# frozen_string_literal: true

require_relative "closer"
require_relative "wait_queue"
require_relative "slot"

module Ratomic
  class LocalPool
    # The resources of one Ractor: +size+ slots, each with a resource in it or empty, and the threads that wait for a
    # slot. The resource that came back last is lent first.
    #
    # A resource is made and closed outside the lock, by the thread that holds its slot. So a slow server delays only
    # the thread that talks to it, and there are never more than +size+ resources.
    #
    # Callers of {#claim}, {#give} and {#checkin} have interrupts masked ({Workers::Interrupts.deferred}).
    class ResourceStack
      # @param factory [#call] makes a resource
      # @param closer [Closer] closes one
      def initialize(size, factory, closer)
        @factory = factory
        @closer = closer
        @lock = Thread::Mutex.new
        @wait_queue = WaitQueue.new(@lock)
        @slots = Array.new(size) { Slot.new(self) }
        @idle = @slots.dup # a stack: slots with a resource on top, where they are taken from
        @generation = 0
        @closed = false
        @process = Process.pid
      end

      # @return [Boolean] false in a forked child, which has these resources together with its parent
      def of_this_process?
        @process == Process.pid
      end

      # @param timeout [Integer, Float, nil] seconds, as {Arguments.seconds} returns them
      # @param lent [Boolean] whether it is for +with+
      # @return [Slot, nil] nil when time is up
      # @raise [ClosedError]
      # @raise [TrapError]
      def claim(timeout, lent:)
        waiter = WaitQueue::Waiter.new(lent)
        @lock.synchronize { waiter.take(free_slot) || @wait_queue.wait(waiter, timeout) { free_slot } }
        done = waiter.slot
      rescue ThreadError
        Workers::Trap.explain { raise }
      ensure
        # An interrupt ended the wait in the moment in which the slot was handed over.
        give(waiter.slot) if waiter&.slot && !done
      end

      # Makes a resource if the slot has none, or one from before a {#reload}. Interrupts are let in only where the
      # factory blocks, so a resource that was made always reaches its slot.
      def fill(slot)
        @closer.drop(slot) if stale?(slot)
        return unless slot.resource.nil?

        slot.generation = @generation
        Workers::Interrupts.on_blocking { slot.resource = @factory.call }
        raise Error, "the factory of the pool returned nil instead of a resource" if slot.resource.nil?
      end

      # Takes a slot back. A resource that is discarded, outdated or of a closed pool is closed first, then the slot is
      # free. (Not in a forked child that leaves the block which has it: the resource is its parent's.)
      def give(slot)
        stale = @lock.synchronize { stale?(slot).tap { |yes| pass_on(slot) unless yes } }
        retire(slot) if stale && of_this_process?
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
        Workers::Interrupts.synchronize(@lock) { @slots.count(&:free?) }
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
          @wait_queue.wake_all
        end
      end

      def closed?
        @closed
      end

      # A thread ends: the resources that it checked out and did not give back are closed.
      # @param last [Boolean] whether the Ractor ends with it, and so the pool
      def leave(thread, last)
        close if last
      ensure
        @slots.each { |slot| @closer.drop(slot) if slot.holder == thread }
      end

      # @return [String] the message for {Ratomic::TimeoutError}
      def none_free(timeout)
        in_use, waiting = Workers::Interrupts.synchronize(@lock) do
          [@slots.count { |slot| !slot.free? }, @wait_queue.size]
        end
        "no resource became free within #{timeout} s: #{in_use} are in use, of #{@slots.size} in this Ractor, " \
          "#{waiting} more threads wait; raise size: or timeout:, or look for a block that keeps its resource too long"
      end

      private

      # Called under the lock. The slot of a thread that has ended is free, but its resource may be in any state.
      def free_slot
        refuse_if_closed
        @idle.pop || @slots.find(&:orphan?)&.tap { |orphan| orphan.discarded = true }
      end

      # Called under the lock.
      def pass_on(slot)
        slot.release
        return if !@closed && @wait_queue.hand_over(slot)

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

      # Takes all idle slots that have a resource, so that nobody else gets them, and closes their resources.
      # @raise the first error of closing one, after all were closed
      def withdraw(&decision)
        full = []
        Workers::Interrupts.deferred do
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
