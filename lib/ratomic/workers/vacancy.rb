# frozen_string_literal: true

module Ratomic
  module Workers # rubocop:disable Style/Documentation -- it is described where it begins
    # Stands in the slot of an item that has no result. There are exactly two Vacancies ({DROPPED} and {FOLDED}): a
    # `dup` of one, or its copy in another Ractor, is the same object.
    class Vacancy
      def initialize(name)
        @name = name
        Ractor.make_shareable(self)
      end

      # @return [self]
      def clone(**)
        self
      end
      alias dup clone

      # @return [String] for Marshal, which would make another one
      def _dump(_level)
        DROPPED.equal?(self) ? "d" : "f"
      end

      # @return [Vacancy] one of the two
      def self._load(which)
        which == "d" ? DROPPED : FOLDED
      end

      def inspect
        @name
      end
      alias to_s inspect
    end
    private_constant :Vacancy

    # A callable returns this for an item that shall have no result. The item is done and is counted, but has no entry
    # in {Future#value}; {Future#indices} has the indices of the items that have one.
    #
    #   paid = Ratomic::Workers.dispatch_async(payloads, KeepPaid)   # whose `call` returns DROPPED for most of them
    #   paid.indices.zip(paid.value) { |index, event| store(event, offsets[index]) }
    #
    # Only an item's whole result counts. Inside an Array it is an ordinary object.
    DROPPED = Vacancy.new("Ratomic::Workers::DROPPED")

    # The result of an item went into the sum that stands in another's place, see {Fold}.
    # @api private
    FOLDED = Vacancy.new("Ratomic::Workers::FOLDED")
    private_constant :FOLDED

    # Has the native code register the two objects: it compares addresses.
    # @api private
    module Vacancies
    end
    private_constant :Vacancies
    Vacancies.install(DROPPED, FOLDED)
  end
end
