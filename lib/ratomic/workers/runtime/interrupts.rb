# frozen_string_literal: true

require_relative "user_exception"

module Ratomic
  module Workers
    # Runs blocks with interrupts allowed or deferred. An interrupt is what another thread sends to this one:
    # `Thread#raise` or `Thread#kill`.
    #
    # The masks name Object and not Exception, because to CRuby `Thread#kill` is no exception.
    #
    # The masks are constants. They compare by identity and have no key after Exception, because Ruby copies any other
    # mask at each use.
    module Interrupts
      ALLOWED = { Object => :immediate }.compare_by_identity.freeze
      DEFERRED = { Object => :never }.compare_by_identity.freeze
      # Signals and the end of a `Timeout` block are not deferred: see {UserException}.
      EXCEPTIONS_DEFERRED = UserException::EXEMPT.to_h { |kind| [kind, :immediate] }
                                                 .merge(Exception => :never).compare_by_identity.freeze
      ON_BLOCKING = { Object => :on_blocking }.compare_by_identity.freeze
      KILL_ON_BLOCKING = { Exception => :never, Object => :on_blocking }.compare_by_identity.freeze
      private_constant :ALLOWED, :DEFERRED, :KILL_ON_BLOCKING, :ON_BLOCKING

      class << self
        # Runs the block with no interrupts deferred, whatever the thread inherited: a thread inherits the masks of its
        # creator.
        def allowed(&block)
          Thread.handle_interrupt(ALLOWED, &block)
        end

        # For a short block that must run to its end: interrupts come after it.
        def deferred(&block)
          Thread.handle_interrupt(DEFERRED, &block)
        end

        # For a wait inside of {deferred}: interrupts come while the thread blocks, and only then. So the wait can be
        # ended, and what it returns is never lost before the next line.
        def on_blocking(&block)
          Thread.handle_interrupt(ON_BLOCKING, &block)
        end

        # As {on_blocking}, but only `Thread#kill` ends the wait: exceptions come after the block.
        def kill_on_blocking(&block)
          Thread.handle_interrupt(KILL_ON_BLOCKING, &block)
        end

        # As `lock.synchronize`, where an interrupt may end the wait for the lock. When a Mutex is released, Ruby wakes
        # one thread that waits for it. If an interrupt ends that thread's wait just then, the thread leaves and wakes
        # no other: in Ruby 3.1 to 4.1 all others sleep on, though the Mutex is free. So a thread that leaves takes and
        # releases it once more. (Before the mask there is no point at which a second interrupt could come: Ruby looks
        # for them when it jumps, and it jumps over this line only.)
        # @param lock [Thread::Mutex]
        def synchronize(lock)
          entered = false
          lock.synchronize do
            entered = true
            yield
          end
        ensure
          deferred { lock.unlock if lock.try_lock } unless entered
        end

        # As `condition.wait(lock, seconds)`, and however it ends, the calling Fiber has the lock. (In Ruby 3.1, under a
        # Fiber scheduler, it has not when `Fiber#raise` ends the wait: the end of `synchronize` then raises a
        # ThreadError in the place of that error.)
        # @param condition [Thread::ConditionVariable]
        # @param lock [Thread::Mutex] which the calling Fiber has
        # @param seconds [Numeric, nil]
        def wait(condition, lock, seconds)
          condition.wait(lock, seconds)
        ensure
          deferred { lock.lock } unless lock.owned?
        end

        # For blocks that call a user's code: an exception that another thread raises into this one comes after the
        # block, or it would be taken for the user's.
        def exceptions_deferred(&block)
          Thread.handle_interrupt(EXCEPTIONS_DEFERRED, &block)
        end
      end
    end
  end
end
