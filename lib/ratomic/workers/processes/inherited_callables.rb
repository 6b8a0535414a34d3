# frozen_string_literal: true

module Ratomic
  module Workers
    module Processes
      # The callables that were dispatched so far. A worker process inherits them when it is forked, of whatever kind
      # they are (a proc, an object that holds a connection). After that the parent sends only their numbers. A callable
      # that is dispatched for the first time later is sent as a copy (Marshal); if it cannot be copied, a new process
      # is forked. The parent holds them weakly; a worker process keeps those that it has inherited.
      #
      # A callable that the pool has made for one dispatch (a {Fold}, an {Around}) is sent as its parts. A {PerWorker}
      # is registered when it is made. So the copy of an object that refers to it, and a hook, have the same PerWorker.
      module InheritedCallables
        # number => object
        CALLABLES = ObjectSpace::WeakMap.new
        # Raised for a callable that cannot be copied.
        Unwritable = Class.new(StandardError)
        private_constant :CALLABLES

        @known = {}

        class << self
          # Registers a callable. Processes that are forked from now on inherit it.
          # @return [void]
          def register(callable)
            number = Reflection.id_of(callable)
            # Each key is stored once only: Ruby 3.1 adds an entry each time, and a compaction damages a WeakMap in
            # which many keys have one value.
            CALLABLES[number] = callable unless CALLABLES.key?(number)
          end

          # Called in a worker process: keeps the callables that it has inherited.
          # @return [Hash{Integer => Object}]
          def keep
            @known = all
          end

          # @param number [Integer] of an object of the parent's
          # @return [Object] the object that this worker process has inherited
          # @yieldreturn [Object] a copy, if it has not inherited it
          def same(number)
            return yield unless Processes.inside?

            @known[number] ||= yield
          end

          # @return [Hash{Integer => Object}]
          def all
            CALLABLES.each_with_object({}) { |(number, callable), all| all[number] = callable }
          end

          # The objects that make a callable.
          # @return [Array]
          def parts(callable)
            return [callable] unless composite?(callable)

            variables(callable).map(&:last).grep_v(Integer).grep_v(true).grep_v(false).flat_map { |part| parts(part) }
          end

          # @param known [#key?] numbers that the reader knows
          # @return [String] bytes from which {#read} makes the callable
          # @raise [Unwritable]
          def write(callable, known)
            Marshal.dump(describe(callable, known))
          end

          # @param known [Hash{Integer => Object}]
          # @return [Object]
          # @raise what Marshal raises for classes that this process does not have
          def read(bytes, known)
            build(Marshal.load(bytes), known) # rubocop:disable Security/MarshalLoad -- the parent's own
          end

          private

          def describe(object, known)
            number = Reflection.id_of(object)
            return [:known, number] if known.key?(number)
            return composite(object, known) if composite?(object)

            [:copy, Marshal.dump(object, Wire::MAX_DEPTH), Ractor.shareable?(object)]
          rescue UserException => e
            raise Unwritable, e.message
          end

          # Whether it was made for one dispatch, from callables that may be older.
          def composite?(object)
            Fold === object || Around === object
          end

          def composite(object, known)
            [:composite, object.class, variables(object).map { |name, part| [name, describe(part, known)] }]
          end

          def build(description, known)
            kind, what, more = description
            case kind
            when :known then known.fetch(what)
            when :copy then Marshal.load(what, freeze: more)
            when :composite
              made = what.allocate
              more.each do |name, part|
                made.instance_variable_set(name, build(part, known))
              end
              made.freeze
            end
          end

          def variables(object)
            object.instance_variables.map { |name| [name, object.instance_variable_get(name)] }
          end
        end
      end
    end
  end
end
