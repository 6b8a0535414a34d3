# frozen_string_literal: true

module Ratomic
  module Workers
    module Processes
      # The callables that were dispatched so far. A worker process inherits them when it is forked, whatever they are
      # (a proc, an object that holds a connection); the parent then names them by number. One that comes later goes as
      # a copy (Marshal), or, if it has none, the worker is forked anew. They are held weakly: only a worker process
      # keeps those that it has inherited.
      module InheritedCallables
        # number => object
        CALLABLES = ObjectSpace::WeakMap.new
        # What cannot be written down in a copy.
        Unwritable = Class.new(StandardError)
        private_constant :CALLABLES

        class << self
          # Whoever is forked from now on has it.
          # @return [void]
          def meet(callable)
            number = Reflection.id_of(callable)
            # Once: Ruby 3.1 enters a key again each time, and with many keys for one value a compaction damages a
            # WeakMap.
            CALLABLES[number] = callable unless CALLABLES.key?(number)
          end

          # @return [Hash{Integer => Object}]
          def all
            CALLABLES.each_with_object({}) { |(number, callable), all| all[number] = callable }
          end

          # The objects that make a callable: of a reduction its parts.
          # @return [Array]
          def parts(callable)
            return [callable] unless Fold === callable

            variables(callable).map(&:last).reject { |part| Integer === part }
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
            return fold(object, known) if Fold === object

            [:copy, Marshal.dump(object, Wire::MAX_DEPTH), Ractor.shareable?(object)]
          rescue UserException => e
            raise Unwritable, e.message
          end

          def fold(object, known)
            [:fold, object.class, variables(object).map { |name, part| [name, describe(part, known)] }]
          end

          def build(description, known)
            kind, what, more = description
            case kind
            when :known then known.fetch(what)
            when :copy then Marshal.load(what, freeze: more)
            when :fold
              fold = what.allocate
              more.each do |name, part|
                fold.instance_variable_set(name, build(part, known))
              end
              fold.freeze
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
