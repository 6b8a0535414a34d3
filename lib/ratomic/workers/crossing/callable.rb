# frozen_string_literal: true

module Ratomic
  module Workers
    # Checks a callable at the dispatch, before any item runs.
    module Callable
      # What a dispatch calls, in messages.
      DISPATCHED = "the callable"
      private_constant :DISPATCHED

      # @param name [String] what it is, for the message
      # @param argument [String] what it is called with
      # @return [Object] the callable
      # @raise [CallableError] with the path of what is not shareable, and what to do
      def self.check(callable, name = DISPATCHED, argument = "item")
        unless call?(callable)
          block = "`&#{callable.inspect}` to `map` or `dispatch_async`, " if Symbol === callable && name == DISPATCHED
          raise CallableError, "#{describe(callable, name)} has no method `call`; pass #{block}a module with `def " \
                               "self.call(#{argument})`, a frozen object with `call(#{argument})` or a shareable proc"
        end
        return callable if FrozenCopy.shareable?(callable)

        refuse(callable, name)
      end

      # As {check}, for workers that are threads of the caller's Ractor: they may call an object that is not shareable.
      # @return [Object, RactorLocalRefs::Ref]
      def self.any(callable)
        return check(callable) if FrozenCopy.shareable?(callable) || !call?(callable)

        RactorLocalRefs.keep(callable)
      end

      # As {check}. It also refuses a callable if {IsolationLint} finds code that would raise `Ractor::IsolationError`
      # in a worker.
      # @raise [CallableError]
      def self.strict(callable)
        check(callable)
        finding = IsolationLint.findings(callable).first
        return callable unless finding

        raise CallableError, "#{describe(callable)} cannot run in a worker: #{finding}"
      end

      # The key by which the pool keeps what it learns of a callable. It stands for one object, because two objects of
      # one class, or two procs of one place in the source, may cost very different times. It does not keep the object
      # alive. If the dispatch has a name (`as:`), the name is the key, for any object.
      # @param as [String, nil]
      # @return [Module, Integer, String] no other callable ever has the same key
      def self.key(callable, as = nil)
        callable = callable.callable if Around === callable
        return Fold === callable ? "reduce of #{as}".freeze : as if as
        return callable if Module === callable

        Fold === callable ? callable.key : Reflection.id_of(callable)
      end

      # The callables inside a callable: for a reduction the user's callable, for a pipeline its stages.
      # @return [Array<#call>]
      def self.parts(callable)
        case callable
        when Fold, Around then parts(callable.callable)
        when PerWorker then parts(callable.factory)
        when Pipeline then callable.stages
        else [callable]
        end
      end

      # Whether a part of it is a {PerWorker}, which has an object in each worker and none in callers.
      def self.per_worker?(callable)
        case callable
        when Fold, Around then per_worker?(callable.callable)
        when Pipeline then callable.stages.any? { |stage| per_worker?(stage) }
        else PerWorker === callable
        end
      end

      # @return [String] for statistics: the name of a module, the place of a proc, the class of another object
      def self.label(callable)
        case callable
        when Module then Reflection.name_of(callable)
        when Proc then location(callable) || Proc.name
        when Pipeline, PerWorker then callable.to_s
        when Around then label(callable.callable)
        when Fold then "reduce of #{label(callable.callable)}"
        else Reflection.class_name_of(callable)
        end
      end

      # @return [String, nil] "file:line" of its `call`
      def self.location(callable)
        callable, *more = parts(callable)
        return unless more.empty? # it is several places

        code = Proc === callable ? callable : Reflection.method_of(callable, :call)
        code.source_location&.join(":")
      rescue NameError
        nil
      end

      # Whether it has a method `call`.
      def self.call?(callable)
        Reflection.responds?(callable, :call)
      end

      def self.refuse(callable, name)
        # Of a method of the program's main object the object is no part that its owner could change.
        main = Method === callable && main?(callable.receiver)
        obstacle = main ? UnshareablePart.new("", callable) : UnshareablePart.in(callable)
        advice = advice(obstacle, callable)
        raise CallableError.new("#{describe(callable, name)} is not shareable: #{reason(obstacle)}. #{advice}",
                                path: obstacle.path)
      end

      def self.reason(obstacle)
        name = obstacle.path.empty? ? "it" : obstacle.path
        object = obstacle.object
        case object
        when Proc then "#{name} is a proc, and #{obstacle.reason}"
        when Method then "#{name} is a Method, and #{method_reason(object)}"
        else
          return "#{name} (#{Reflection.class_name_of(object)}) is not frozen" if obstacle.unfrozen?

          kind = Reflection.class_name_of(object)
          text = "#{name} is an instance of #{kind}, which belongs to the Ractor that made it"
          obstacle.reason ? "#{text}: #{obstacle.reason}" : text
        end
      end

      MODULE = "a module with `def self.call(item)`"
      private_constant :MODULE

      # A Method of a shareable object can be made shareable, too.
      def self.method_reason(method)
        if FrozenCopy.shareable?(method.receiver)
          "it was not made shareable"
        else
          "its receiver (an instance of #{Reflection.class_name_of(method.receiver)}) is not shareable"
        end
      end

      def self.advice(obstacle, callable)
        case (object = obstacle.object)
        when Proc then advice_for_proc(object)
        when Method then advice_for_method(object)
        else
          if Remedy.of_the_process?(object)
            "Let `call` get what it needs of it, frozen, as `context:` or with the items"
          elsif obstacle.unfrozen? && (live = StatefulObjects.in(callable))
            StatefulObjects.advice(live)
          elsif obstacle.unfrozen? && (names = IsolationLint.state(callable)).any?
            Remedy.of_state(names)
          elsif obstacle.unfrozen?
            "Freeze all of it with `Ractor.make_shareable(callable)` before the dispatch"
          else
            "Open it inside `call`, or keep it in a Ratomic::LocalPool, one per worker"
          end
        end
      end

      def self.advice_for_proc(block)
        return "Use #{MODULE}" unless RACTORS # nor is there Ractor.shareable_proc

        name = block.inspect[/\(&:(.*?)\)/, 1] if UnshareableReason.symbol?(block)
        return "Use #{MODULE}, or `Ractor.shareable_proc { |item| item.#{name} }`" if name
        if block.source_location
          return "Use #{MODULE}, or `Ractor.shareable_proc { |item| ... }` with nothing but frozen variables"
        end

        "Use #{MODULE}, or `Ractor.shareable_proc { |item| ... }`, which calls what it is made of"
      end

      def self.advice_for_method(method)
        receiver = method.receiver
        return "Use #{MODULE}" if !RACTORS || main?(receiver) || UnshareablePart.forbidden(receiver)
        return "Use `Ractor.make_shareable(method)`, or #{MODULE}" if FrozenCopy.shareable?(receiver)

        live = StatefulObjects.in(receiver)
        return StatefulObjects.advice(live) if live

        "Make the receiver shareable (`Ractor.make_shareable(method.receiver)`) and then the Method, or use #{MODULE}"
      end

      # Whether it is the program's main object, which must not be frozen.
      def self.main?(object)
        Reflection.class_of(object).equal?(Object) && object.inspect == "main"
      end

      def self.describe(callable, name = DISPATCHED)
        case callable
        when nil then "#{name} is nil, which"
        when Hash
          missing = " (is the callable missing before the keywords?)" if name == DISPATCHED
          "#{name} is a Hash#{missing}, which"
        when Proc then "the proc #{callable.source_location&.join(":") || callable.inspect}"
        when Module then "#{name} #{Reflection.name_of(callable)}"
        when PerWorker then "what #{label(callable.factory)} makes"
        else "#{name} (#{Reflection.class_of(callable)})"
        end
      end
      private_class_method :refuse, :reason, :method_reason, :advice, :advice_for_proc, :advice_for_method, :main?,
                           :describe
    end
  end
end
