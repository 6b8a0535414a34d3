# frozen_string_literal: true

require "test_helper"

class InheritedCallablesTest < Minitest::Test
  Inherited = Ratomic::Workers::Processes::InheritedCallables

  # Has a copy.
  class Adder
    attr_reader :parts

    def initialize(parts)
      @parts = parts
    end

    def call(item)
      item + @parts.sum
    end
  end

  def number(object)
    Ratomic::Reflection.id_of(object)
  end

  def test_a_callable_is_known_by_its_number_once_it_was_met
    callable = proc {}
    refute Inherited.all.key?(number(callable))
    Inherited.meet(callable)
    assert_same callable, Inherited.all[number(callable)]
  end

  # As often as a worker process is replaced. Ruby 3.1 crashed when it was entered each time.
  def test_one_that_is_met_again_and_again_is_kept_once
    out = ruby!(<<~'RUBY')
      require "ratomic"
      callable = proc {}
      known = Ratomic::Workers::Processes::InheritedCallables
      100.times { known.meet(callable) && (GC.compact if GC.respond_to?(:compact)) }
      p known.all.values == [callable]
    RUBY
    assert_equal "true", out.strip
  end

  def test_one_that_is_not_known_goes_as_a_copy
    adder = Adder.new([1, 2])
    copy = Inherited.read(Inherited.write(adder, {}), {})
    refute_same adder, copy
    assert_equal 13, copy.call(10)
    shared = Inherited.read(Inherited.write(Ractor.make_shareable(Adder.new([5])), {}), {})
    assert_predicate shared.parts, :frozen?
  end

  def test_one_that_is_known_goes_by_number_whatever_it_is
    callable = proc {}
    known = { number(callable) => callable }
    assert_same callable, Inherited.read(Inherited.write(callable, known), known)
  end

  # Runs an item.
  module Near
    def self.call(_item) = yield
  end

  # Each dispatch makes another one of the same callable.
  def test_what_is_made_for_one_dispatch_goes_in_its_parts
    callable = proc { |item| item + 1 }
    pairs = [callable, Near].to_h { |part| [number(part), part] }
    around = Ratomic::Workers.const_get(:Around).wrap(callable, Near)
    assert_equal [callable, Near], Inherited.parts(around)
    copy = Inherited.read(Inherited.write(around, pairs), pairs)
    refute_same around, copy
    assert_same callable, copy.callable
    assert_equal [3, true], [copy.call(2), copy.frozen?]
    folds = Ratomic::Workers.const_get(:Fold).new(around, 100)
    assert_equal [callable, Near], Inherited.parts(folds)
  end

  # Makes an Adder.
  module MakeAdder
    def self.call = Adder.new([1])
  end

  def test_what_each_worker_has_its_own_object_of_is_known_from_when_it_is_made
    tool = Ratomic::Workers.per_worker(MakeAdder)
    assert_same tool, Inherited.all[number(tool)]
    copy = Marshal.load(Marshal.dump([tool, tool]))
    assert_equal [MakeAdder, true], [copy[0].factory, copy[0].frozen?]
    assert_raises(TypeError) { Marshal.dump(Ratomic::Workers.per_worker { Adder.new([1]) }) } # a proc
  end

  def test_one_without_a_copy_cannot_be_written
    error = assert_raises(Inherited::Unwritable) { Inherited.write(proc {}, {}) }
    assert_match(/Proc/, error.message)
    assert_raises(Inherited::Unwritable) { Inherited.write(Adder.new([proc {}]), {}) }
  end
end
