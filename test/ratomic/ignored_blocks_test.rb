# frozen_string_literal: true

require "test_helper"

# Ruby ignores a block that a method does not take. Where people may expect one to be taken, it is refused, with what to
# write instead.
class IgnoredBlocksTest < Minitest::Test
  Workers = Ratomic::Workers

  def test_a_map_has_no_default
    assert_match(/fetch\(key\) \{ \.\.\. \}/, refused { Ratomic::Map.new { 0 } })
    assert_match(/fetch\(key\) \{ \.\.\. \}/, refused { Class.new(Ratomic::Map).new { 0 } })
  end

  def test_a_subclass_of_map_may_take_a_block
    with_super = Class.new(Ratomic::Map) do
      def initialize(&block)
        super()
        self[:first] = block.call
      end
    end
    assert_equal 5, with_super.new { 5 }[:first]
  end

  def test_with_takes_an_object_back_and_checkout_does_not
    local = Ratomic::LocalPool.new(size: 1, factory: Workers::ParseJSON)
    assert_match(/checkout takes no block; use with/, refused { local.checkout { 1 } })
    assert_equal 1, local.available
    skip_without_ractors
    pool = Ratomic::Pool.new(size: 1) { [] }
    assert_match(/checkout takes no block; use with/, refused { pool.checkout { 1 } })
    assert_equal 1, pool.available
    pool.close
  end

  def test_what_closes_a_resource_is_given_to_the_pool
    local = Ratomic::LocalPool.new(size: 1, factory: Workers::ParseJSON)
    assert_match(/as close:/, refused { local.reload { |resource| resource } })
    assert_match(/as close:/, refused { local.close { |resource| resource } })
    refute_predicate local, :closed?
  end

  def test_workers
    assert_match(/configure takes no block; .*configure\(size: 4/, refused { Workers.configure { |config| config } })
    assert_match(/Ratomic::Pool lends/, refused { Workers::Pool.new(size: 1) { [] } })
    assert_match(/a callable for each stage/, refused { Workers.pipeline(Workers::ParseJSON) { |parsed| parsed } })
    assert_match(/explain\(items, callable\)/, refused { Workers.explain([1]) { |item| item } })
  end

  private

  def refused(&block)
    assert_raises(ArgumentError, &block).message
  end
end
