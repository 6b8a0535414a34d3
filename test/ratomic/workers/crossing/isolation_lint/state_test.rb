# frozen_string_literal: true

require "test_helper"

class IsolationLintStateTest < Minitest::Test
  IsolationLint = Ratomic::Workers::IsolationLint

  class Memo
    def initialize = @made = true
    def call(item) = (@cache ||= {})[item] ||= item
  end

  # Sets it in a method that a block calls.
  class Deep
    def call_many(items) = items.map { |item| note(item) }
    def call(item) = item

    private

    def note(item)
      [1].each { @last = item }
      call(item)
    end
  end

  class Steady
    attr_writer :later

    def initialize = @table = {}
    def call(item) = @table.fetch(item) { item.to_s }
    def change = @changed = true
  end

  def test_it_finds_instance_variables_that_a_callable_sets_when_it_is_called
    assert_equal [:@cache], IsolationLint.state(Memo.new)
    assert_equal [:@last], IsolationLint.state(Deep.new)
    assert_empty IsolationLint.state(Steady.new)
  end

  def test_it_finds_nothing_where_no_instance_variable_is_set
    [proc { @x = 1 }, Memo, Object.new, BasicObject.new, :upcase.to_proc, 1.method(:+)].each do |callable|
      assert_empty IsolationLint.state(callable)
    end
  end

  def test_a_dispatch_of_such_a_callable_raises_with_advice
    skip_without_ractors
    pool = Ratomic::Workers::Pool.new(size: 1)
    error = assert_raises(Ratomic::Workers::CallableError) { pool.dispatch_async([1], Memo.new) }
    assert_match(/It sets @cache when it is called: set it in `initialize`.*per_worker.*Ratomic::Map/, error.message)
    error = assert_raises(Ratomic::Workers::CallableError) { pool.dispatch_async([1], Steady.new) }
    assert_match(/Freeze all of it with `Ractor.make_shareable/, error.message)
  end
end
