# frozen_string_literal: true

require "test_helper"

class OwnConstantsTest < Minitest::Test
  IsolationLint = Ratomic::Workers::IsolationLint

  # Their constants are read of themselves.
  module Itself
    LIST = [[1]] # rubocop:disable Style/MutableConstant -- what is to be found
    FINE = [1].freeze

    def self.call(item)
      item ? self::LIST : const_get(:LIST).first + self::FINE
    end
  end

  class OfItsClass
    LIST = [[1]] # rubocop:disable Style/MutableConstant -- what is to be found

    def call(item)
      item ? self.class::LIST : self.class.const_get(:LIST)
    end
  end

  def test_constants_that_are_read_of_the_callable_itself
    heir = Class.new(OfItsClass)
    [Itself, OfItsClass.new.freeze, heir.new.freeze].each do |callable|
      assert_equal [%w[constant LIST]], IsolationLint.findings(callable).map { |found| [found.kind, found.name] }
    end
    skip_without_ractors
    [Itself, OfItsClass.new.freeze].product([true, false]) do |callable, item|
      failure = Ratomic::Workers.dispatch_async([item], callable, min_batch: 0).value(timeout: 10)[0]
      assert_equal "Ractor::IsolationError", failure.exception_class
    end
  end
end
