# frozen_string_literal: true

module Ratomic
  class LocalPool
    # Refuses a factory (or a `close:`) that other Ractors could not call. The error says why, and what to
    # write instead.
    module Factory
      class << self
        # @param callable [#call]
        # @param name [String] of the argument
        # @return [#call] +callable+
        # @raise [ArgumentError] if it cannot be called
        # @raise [ShareableError] if it is not shareable
        def check(callable, name)
          raise ArgumentError, not_callable(callable, name) unless Reflection.responds?(callable, :call)
          raise ShareableError, message(callable, name) unless FrozenCopy.shareable?(callable)

          callable
        end

        private

        def not_callable(callable, name)
          "#{name}: must be an object with a method `call`, not #{Arguments.shown(callable)}"
        end

        def message(callable, name)
          "#{name} is called in every Ractor, so it has to be shareable, and " \
            "#{reason(callable)}"
        end

        def reason(callable)
          case callable
          when Proc then for_proc
          when Method then "a Method is not; write a module with `def self.call`, or a frozen object with a method call"
          else for_object(callable)
          end
        end

        def for_proc
          "a block belongs to the object that it was written in; write it as Ractor.shareable_proc { ... } " \
            "(Ruby 4.0), using only frozen things from outside, or as a frozen object with a method call"
        end

        def for_object(callable)
          obstacle = Workers::UnshareablePart.in(callable)
          freeze = "freeze it deeply with Ractor.make_shareable, or " if freezable?(obstacle, callable)
          "this #{callable.class} is not, because of #{obstacle}; #{freeze}let call make it"
        end

        # Whether to advise freezing: not for what the rest of the program may go on changing.
        def freezable?(obstacle, callable)
          obstacle.unfrozen? && !Workers::StatefulObjects.in(callable)
        end
      end
    end
  end
end
