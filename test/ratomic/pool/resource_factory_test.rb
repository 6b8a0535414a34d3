# frozen_string_literal: true

require "test_helper"

class PoolResourceFactoryTest < Minitest::Test
  def setup
    skip_without_ractors
  end

  def make
    [:of_the_test, @variable]
  end

  # @return [Array(Object, Boolean)] what the recipe makes, and whether it refers to the variables around it
  def made(block, around)
    require "objspace"
    recipe = Ratomic::Pool::ResourceFactory.of(block)
    made = recipe.call
    block = nil # rubocop:disable Lint/UselessAssignment -- or it would be what refers to them
    reached = [recipe]
    reached.each do |object|
      (ObjectSpace.reachable_objects_from(object) || []).each do |child|
        reached << child if [Proc, Ratomic::Pool::ResourceFactory].include?(child.class) || child.equal?(around) ||
                            child.is_a?(ObjectSpace::InternalObjectWrapper)
        break if reached.size > 1_000
      end
    end
    [made, reached.any? { |object| object.equal?(around) }]
  end

  def test_it_keeps_nothing_that_the_block_does_not_use
    pool = Object.new
    assert_equal [[], false], made(proc { [] }, pool)
    assert_equal [[pool], true], made(proc { [pool] }, pool)
  end

  def test_a_block_that_uses_its_self_runs_there
    @variable = 1
    assert_equal [:of_the_test, 1], Ratomic::Pool::ResourceFactory.of(proc { make }).call
    assert_equal [1], Ratomic::Pool::ResourceFactory.of(proc { [@variable] }).call
    assert_equal [[self]], Ratomic::Pool::ResourceFactory.of(proc { [[self]] }).call
    assert_equal [self], Ratomic::Pool::ResourceFactory.of(proc { [1].map { self } }).call
    Ratomic::Pool::ResourceFactory.of(proc { @variable = 2 }).call
    assert_equal 2, @variable
  end

  def test_a_block_that_uses_variables_shares_them
    count = 0
    recipe = Ratomic::Pool::ResourceFactory.of(proc { count += 1 })
    assert_equal [1, 2], [recipe.call, recipe.call]
    assert_equal 2, count
    number = 1
    recipe = Ratomic::Pool::ResourceFactory.of(proc { number })
    number = 2
    assert_equal 2, recipe.call
  end

  def test_a_block_that_looks_around_itself_finds_everything
    seen = :seen
    assert_equal seen, Ratomic::Pool::ResourceFactory.of(proc { eval("seen", binding, __FILE__, __LINE__) }).call
    assert_includes Ratomic::Pool::ResourceFactory.of(proc { binding.local_variables }).call, :seen
    assert_equal seen, Ratomic::Pool::ResourceFactory.of(proc { send(:eval, "seen", send(:binding)) }).call
  end

  def test_code_in_a_rescue_and_in_blocks_of_blocks_is_read
    assert_equal [:of_the_test, nil], Ratomic::Pool::ResourceFactory.of(proc { Integer("x") rescue make }).call # rubocop:disable Style/RescueModifier
    assert_equal [[self]], Ratomic::Pool::ResourceFactory.of(proc { [1].map { [2].map { self } } }).call
    assert_equal [self, 3], Ratomic::Pool::ResourceFactory.of(proc { |other = self| [other, 3] }).call
  end

  def test_a_block_with_an_instruction_that_is_not_known_stays_as_it_is
    pool = Object.new
    assert_equal [[1, :named], true], made(proc { [1, (def self.named; end)] }, pool) # rubocop:disable Lint/NestedMethodDefinition
  end

  def test_code_of_another_form_is_not_read
    code = RubyVM::InstructionSequence.of(proc { [] }).to_a
    factory = Ratomic::Pool::ResourceFactory.new(proc { [] })
    assert factory.send(:read, code, {})
    refute factory.send(:read, ["another", *code.drop(1)], {})
    refute factory.send(:read, [*code[0..-2], [*code[-1], [:an_instruction_of_later]]], {})
  end

  def yielding
    Ratomic::Pool::ResourceFactory.of(proc { yield }).call
  end

  def test_other_kinds_of_blocks
    assert_equal :yielded, (yielding { :yielded })
    assert_equal [:of_the_test, nil], Ratomic::Pool::ResourceFactory.of(method(:make).to_proc).call
    assert_equal [], Ratomic::Pool::ResourceFactory.of(Array.method(:new).to_proc).call
    assert_equal [:lambda], Ratomic::Pool::ResourceFactory.of(-> { [:lambda] }).call
    shareable = Ractor.shareable_proc { [] }
    assert_same shareable, Ratomic::Pool::ResourceFactory.of(shareable)
  end

  def test_after_the_end_of_the_pool_it_keeps_nothing
    recipe = Ratomic::Pool::ResourceFactory.of(proc { make })
    recipe.forget
    assert_equal [nil, nil], recipe.instance_variables.map { |name| recipe.instance_variable_get(name) }
  end
end
