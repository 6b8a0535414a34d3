# frozen_string_literal: true

module Ratomic
  module Workers
    # Objects that stay in the Ractor that made them, while a small shareable Ref travels in their place. The `:thread`
    # backend sends callables that are not shareable through the same native queue in this way.
    module RactorLocalRefs
      # Stands for a kept object.
      class Ref
        attr_reader :number

        def initialize(number)
          @number = number
          freeze
        end
      end

      STORE = :__ratomic_workers_refs__
      NUMBERS = Counter.new

      class << self
        # @return [Ref]
        def keep(object)
          ref = Ref.new(NUMBERS.increment)
          table[ref.number] = object
          ref
        end

        # @return [Object, nil] the object, which stays
        def read(ref)
          table[ref.number]
        end

        # @return [Object, nil] the object, which is forgotten
        def take(ref)
          table.delete(ref.number)
        end

        # How many objects are kept in this Ractor.
        def size
          table.size
        end

        private

        # A Hash of Integers is changed in one step under the GVL, so threads of one Ractor need no lock for it.
        def table
          Ractor.current[STORE] ||= {}
        end
      end

      size # makes the table of the main Ractor before a second thread can come
    end
  end
end
