# frozen_string_literal: true

require "test_helper"
require "delegate"
require "support/worker_callables"

class SourceTest < Minitest::Test
  include WorkerCallables

  Source = Ratomic::Workers::Source

  # Yields as many values as it is told at each step.
  class Yielder
    def initialize(*steps)
      @steps = steps
    end

    def each
      @steps.each { |values| yield(*values) }
    end
  end

  STEPS = [[], [1], [1, 2], [[3, 4]], [{ a: 1 }], [nil, nil]].freeze

  # A Struct that is a collection all the same.
  Pages = Struct.new(:from, :to) do
    def each(&block)
      (from..to).each(&block)
    end
  end

  def test_arrays_enumerables_and_what_has_each_are_sources
    assert_same array = [1, 2], Source.list(array)
    [1..2, { a: 1 }, [1].each_with_index, Yielder.new([1]), Pages.new(1, 3), (1..3).lazy, "a\nb".each_line,
     Set.new([1])].each { |source| assert_equal source.to_enum.to_a, Source.list(source) }
    assert_equal [1, 2, 3], Source.list(Pages.new(1, 3))
  end

  def test_an_object_that_delegates_to_a_source_is_one
    assert_equal [1, 2], Source.list(SimpleDelegator.new([1, 2]))
    bare = Class.new(BasicObject) do
      def each
        yield 1
        yield 2, 3
      end
    end
    assert_equal [1, [2, 3]], Source.list(bare.new)
    assert_includes assert_raises(TypeError) { Source.list(SimpleDelegator.new(nil)) }.message, "SimpleDelegator"
  end

  def test_an_object_with_only_to_a_is_refused_with_its_class
    refused = [[nil, "NilClass"], [Time.now, "Time"], [Struct.new(:a).new(1), "#<Class:"],
               ["a".match(/a/), "MatchData"], [5, "Integer"], [+"text", "String"], [:sym, "Symbol"],
               [Process::Status, "Class"],
               [Etc.getpwuid, "Etc::Passwd"], [BasicObject.new, "BasicObject"]]
    pool = Ratomic::Workers::Pool.new(backend: :inline)
    refused.each do |source, name|
      [-> { pool.dispatch_async(source, Double) }, -> { pool.stream(source, Double) },
       -> { pool.explain(source, Double) }].each do |way|
        assert_includes assert_raises(TypeError, name, &way).message, "not #{name}"
      end
    end
  end

  def test_several_values_at_a_step_are_an_array_as_in_to_a
    seen = []
    Source.each(Yielder.new(*STEPS)) { |item| seen << item }
    assert_equal [nil, 1, [1, 2], [3, 4], { a: 1 }, [nil, nil]], seen
    assert_equal Yielder.new(*STEPS).to_enum.to_a, seen
  end

  def test_a_dispatch_and_a_stream_have_the_same_items
    itself = Ractor.make_shareable(Class.new { def call(item) = item }.new)
    pool = Ratomic::Workers::Pool.new(size: 1)
    [Yielder.new(*STEPS), %w[a b].each_with_index, { a: 1, b: 2 }, [[1, 2]].each].each do |source|
      expected = pool.dispatch_async(source, itself).value(timeout: 5)
      assert_equal source.to_enum.to_a, expected
      assert_equal(expected, within(10) { pool.stream(source, itself).to_a })
    end
    assert_equal([["a", 0], ["b", 1]], within(10) { pool.stream(%w[a b].each_with_index, itself).to_a })
  ensure
    pool.kill
  end
end
