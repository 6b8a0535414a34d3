# frozen_string_literal: true

require "test_helper"

class BlockSelfTest < Minitest::Test
  Blocks = Ratomic::Workers.const_get(:Blocks)

  def setup
    skip_without_ractors
    @factor = 3
    @none = nil
  end

  def triple(number)
    number * 3
  end

  # Otherwise @factor would be nil in the worker.
  def test_a_block_that_uses_an_instance_variable_is_refused
    error = refused { |number| number * @factor }
    assert_match(/\Athe block \(.*:\d+\) cannot run in a worker: it uses @factor of its self \(an instance of /,
                 error.message)
    refused { |numbers| numbers.map { |number| number * @factor } }
    refused { |number| [number].each { |one| one.then { @factor } } }
    refused { |number| Integer(number) rescue @factor } # rubocop:disable Style/RescueModifier
    refused { |number| @sum = number }
    refused { |number| @none ||= number }
  end

  def test_a_block_that_calls_a_method_of_its_object_is_refused
    assert_match(/it uses the method triple of its self/, refused { |number| triple(number) }.message)
    refused { |number| self.triple(number) } # rubocop:disable Style/RedundantSelf
    refused { |numbers| numbers.map { |number| triple(number) } }
  end

  # In a worker that would be Kernel's.
  def rand(limit)
    limit + 1000
  end

  def test_a_method_of_its_object_that_nil_has_in_another_form_is_refused
    assert_match(/it uses the method rand of its self/, refused { |number| rand(number) }.message)
    refused { |_number| to_s }
  end

  def test_the_methods_that_nil_has_too_may_be_called
    assert_equal ["03", nil], share { |number| [format("%02d", Integer(number)), (block_given? || nil)] }.call("3")
    assert_equal 1, share { |number| number.zero? ? raise("zero") : number }.call(1)
  end

  def test_what_the_object_has_not_is_nil_anywhere
    assert_nil share { @none }.call
    assert_nil share { @unset }.call
  end

  def test_a_variable_of_another_object_is_left_alone
    other = Ractor.make_shareable(Class.new { define_method(:initialize) { @own = 5 } }.new)
    assert_equal 5, share { other.instance_eval { @own } }.call
    assert_nil share { Class.new { def factor = (0 if @factor) }.new.factor }.call
    assert_nil share { Class.new { define_method(:factor) { @factor } }.new.factor }.call
    named = Ractor.make_shareable(Class.new { define_method(:initialize) { @factor = 7 } }.new)
    assert_equal 7, share { named.instance_exec { @factor } }.call
  end

  def test_a_self_that_can_be_shared_is_used_as_it_is
    assert_equal 6, share(Doubling.new(2).freeze.block).call(3)
  end

  def test_one_block_of_several_objects_is_looked_at_for_each
    assert_raises(Ratomic::Workers::CallableError) { share(Doubling.new(2).block) }
    assert_equal [nil], share(Doubling.new(nil).block_of_array).call
  end

  def test_a_fallback_runs_it_with_its_self
    pool = Ratomic::Workers::Pool.new(size: 1, fallback: :thread)
    assert_equal [[3, 6], [3]], [pool.map([1, 2]) { |number| number * @factor }, pool.map([1]) { |one| triple(one) }]
  ensure
    pool&.shutdown(timeout: 5)
  end

  def test_a_dispatch_is_refused_before_it_starts_any_item
    pool = Ratomic::Workers::Pool.new(size: 1)
    assert_raises(Ratomic::Workers::CallableError) { pool.dispatch_async([1]) { |number| number * @factor } }
    refute_predicate pool, :started?
    other = Ractor.new do
      Ratomic::Workers.dispatch_async([1], &Doubling.new(3).block)
    rescue Ratomic::Workers::CallableError => e
      e.message
    end
    assert_match(/it uses @factor of/, other.value)
  ensure
    pool&.shutdown(timeout: 5)
  end

  # The receiver's own methods may raise; the item does what it does then.
  def test_a_receiver_that_cannot_be_asked_is_left_alone
    assert_raises(NameError) { share(Unasked.new.block).call }
  end

  class Unasked
    def block
      proc { anything }
    end

    def respond_to_missing?(*)
      raise "ask nobody"
    end
  end

  class Doubling
    def initialize(factor)
      @factor = factor
    end

    def block
      proc { |number| number * @factor }
    end

    def block_of_array
      proc { [@factor] }
    end
  end

  private

  def share(given = nil, &block)
    Blocks.share(given || block, "block")
  end

  def refused(&block)
    assert_raises(Ratomic::Workers::CallableError) { share(block) }
  end
end
