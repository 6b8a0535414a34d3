# frozen_string_literal: true

require "test_helper"

class LocalPoolFactoryTest < Minitest::Test
  def check(callable)
    Ratomic::LocalPool::Factory.check(callable, "factory")
  end

  module Maker
    def self.call; end
  end

  Holder = Struct.new(:options) do
    def call; end
  end

  def test_modules_and_frozen_objects_with_call_pass
    assert_same Maker, check(Maker)
    holder = Ractor.make_shareable(Holder.new({ host: "here" }))
    assert_same holder, check(holder)
  end

  def test_an_object_without_call_is_an_error
    [nil, :call, Object.new].each { |object| assert_raises(ArgumentError) { check(object) } }
  end

  def test_a_block_is_refused_with_what_to_write_instead
    assert_match(/factory.*Ractor\.shareable_proc/, assert_raises(Ratomic::ShareableError) { check(-> {}) }.message)
  end

  def test_an_object_is_refused_with_the_place
    error = assert_raises(Ratomic::ShareableError) { check(Holder.new({ hosts: [+"here"] })) }
    assert_match(/options\[:hosts\]\[0\].*String/, error.message)
    assert_match(/make_shareable/, error.message)
  end

  def test_a_method_is_refused_with_what_to_write_instead
    [Holder.new({}).method(:call), String.method(:new)].each do |method|
      error = assert_raises(Ratomic::ShareableError) { check(method) }
      assert_match(/to be shareable, and a Method is not; write a module with `def self\.call`/, error.message)
    end
  end
end
