# frozen_string_literal: true

module Ratomic
  module Workers
    module Processes
      # The callables that were dispatched so far. A worker process inherits them when it is forked, whatever they are
      # (a proc, an object that holds a connection); the parent then names them by number. One that comes later goes as
      # a copy (Marshal), or, if it has none, the worker is forked anew. They are held weakly: only a worker process
      # keeps those that it has inherited.
      #
      # What the pool makes of callables for one dispatch (a {Fold}, an {Around}) goes in parts, which are known then. A
      # {PerWorker} is known from when it is made: in a copy of what refers to it, and in a hook, it is the same object.
      module InheritedCallables
        # number => object
        CALLABLES = ObjectSpace::WeakMap.new
        # What cannot be written down in a copy.
        Unwritable = Class.new(StandardError)
        private_constant :CALLABLES

        @known = {}

        class << self
          # Whoever is forked from now on has it.
          # @return [void]
          def meet(callable)
            number = Reflection.id_of(callable)
            # Once: Ruby 3.1 enters a key again each time, and with many keys for one value a compaction damages a
            # WeakMap.
            CALLABLES[number] = callable unless CALLABLES.key?(number)
          end

          # In a worker process, which has only what it has inherited, and what came later as a copy.
          # @return [Hash{Integer => Object}]
          def keep
            @known = all
          end

          # @param number [Integer] of an object of the parent's
          # @return [Object] the one that this worker process has of it
          # @yieldreturn [Object] a copy, where it has none
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
          # @return [String] from which {#read} makes the callable
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

          # Whether it was made for one dispatch, of callables that may be older.
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
