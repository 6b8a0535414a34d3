# frozen_string_literal: true

module Demo
  # What all modes but that of Ratomic::Workers put in the place of an item that raised, as it puts a Failure:
  # so that all modes go on after an error, and their results can be compared.
  Failed = Struct.new(:exception_class, :message) do
    # @return [Object] the item's result, or a Failed
    def self.guard(callable, item)
      callable.call(item)
    rescue StandardError => e
      new(e.class.name, e.message)
    end

    # @return [Boolean] whether a result stands for an item that raised, in any mode
    def self.in?(result)
      result.is_a?(Failed) || result.is_a?(Ratomic::Workers::Failure)
    end
  end
end
