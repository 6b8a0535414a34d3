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

  def test_a_callable_is_registered_by_its_object_id
    callable = proc {}
    refute Inherited.all.key?(number(callable))
    Inherited.register(callable)
    assert_same callable, Inherited.all[number(callable)]
  end

  # As often as a worker process is replaced. Ruby 3.1 crashed when it was entered each time.
  def test_a_callable_that_is_registered_repeatedly_is_kept_once
    out = ruby!(<<~'RUBY')
      require "ratomic"
      callable = proc {}
      known = Ratomic::Workers::Processes::InheritedCallables
      100.times { known.register(callable) && (GC.compact if GC.respond_to?(:compact)) }
      p known.all.values == [callable]
    RUBY
    assert_equal "true", out.strip
  end

  def test_a_callable_that_the_process_did_not_inherit_is_sent_as_a_copy
    adder = Adder.new([1, 2])
    copy = Inherited.read(Inherited.write(adder, {}), {})
    refute_same adder, copy
    assert_equal 13, copy.call(10)
    shared = Inherited.read(Inherited.write(Ractor.make_shareable(Adder.new([5])), {}), {})
    assert_predicate shared.parts, :frozen?
  end

  def test_an_inherited_callable_is_sent_as_its_object_id
    callable = proc {}
    known = { number(callable) => callable }
    assert_same callable, Inherited.read(Inherited.write(callable, known), known)
  end

  # Runs an item.
  module Near
    def self.call(_item) = yield
  end

  # Each dispatch makes another one of the same callable.
  def test_wrappers_made_for_one_dispatch_are_sent_with_references_to_their_parts
    callable = proc { |item| item + 1 }
    pairs = [callable, Near].to_h { |part| [number(part), part] }
    around = Ratomic::Workers.const_get(:Around).wrap(callable, Near)
    assert_equal [callable, Near], Inherited.parts(around)
    copy = Inherited.read(Inherited.write(around, pairs), pairs)
    refute_same around, copy
    assert_same callable, copy.callable
    assert_equal [3, true], [copy.call(2), copy.frozen?]
    folds = Ratomic::Workers.const_get(:Fold).new(around, 100, false)
    assert_equal [callable, Near], Inherited.parts(folds)
  end

  # Makes an Adder.
  module MakeAdder
    def self.call = Adder.new([1])
  end

  def test_per_worker_callables_are_registered_when_they_are_made
    tool = Ratomic::Workers.per_worker(MakeAdder)
    assert_same tool, Inherited.all[number(tool)]
    copy = Marshal.load(Marshal.dump([tool, tool]))
    assert_equal [MakeAdder, true], [copy[0].factory, copy[0].frozen?]
    assert_raises(TypeError) { Marshal.dump(Ratomic::Workers.per_worker { Adder.new([1]) }) } # a proc
  end

  def test_a_callable_that_cannot_be_marshalled_raises_unwritable
    error = assert_raises(Inherited::Unwritable) { Inherited.write(proc {}, {}) }
    assert_match(/Proc/, error.message)
    assert_raises(Inherited::Unwritable) { Inherited.write(Adder.new([proc {}]), {}) }
  end
end
