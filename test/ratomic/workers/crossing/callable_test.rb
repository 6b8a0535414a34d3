# frozen_string_literal: true

require "test_helper"
require "delegate"

class CallableTest < Minitest::Test
  def test_the_error_has_the_path_of_the_unshareable_object
    holder = Struct.new(:handler) { def call(item) = item }.new([+"text"])
    error = assert_raises(Ratomic::Workers::CallableError) { Ratomic::Workers::Callable.check(holder) }
    assert_includes error.message, error.path
    refute_empty error.path
  end

  def test_an_object_without_any_methods_is_refused
    %i[check any].each do |way|
      error = assert_raises(Ratomic::Workers::CallableError) do
        Ratomic::Workers::Callable.public_send(way, BasicObject.new)
      end
      assert_match(/\(BasicObject\) has no method/, error.message)
    end
  end

  # Has what a callable needs, and nothing else.
  class Bare < BasicObject
    def call(item)
      item + 1
    end
  end

  def test_a_basic_object_and_a_delegator_are_callables
    bare = Bare.new
    Kernel.instance_method(:freeze).bind_call(bare)
    parser = Ractor.make_shareable(SimpleDelegator.new(Ratomic::Workers::ParseJSON))
    [:thread, :inline, *(:ractor if Ratomic::RACTORS)].each do |backend|
      pool = Ratomic::Workers::Pool.new(size: 1, backend: backend, min_batch: 0)
      assert_equal [2], pool.dispatch_async([1], bare).value(timeout: 10)
      assert_equal [1], pool.dispatch_async(["1"], parser).value(timeout: 10)
      assert_predicate pool.explain([1], bare), :ok?
    ensure
      pool&.kill
    end
  end

  Callable = Ratomic::Workers::Callable
  CallableError = Ratomic::Workers::CallableError

  class Client
    def initialize
      @io = $stderr
    end
  end

  class Parser
    def initialize(handler)
      @handler = handler
    end

    def call(item)
      item
    end
  end

  module Plain
    def self.call(item)
      item
    end
  end

  def message_of(callable)
    assert_raises(CallableError) { Callable.check(callable) }.message
  end

  def test_modules_and_frozen_objects_are_accepted
    assert_same Plain, Callable.check(Plain)
    parser = Parser.new(:symbol).freeze
    assert_same parser, Callable.check(parser)
  end

  def test_the_unshareable_object_is_named_with_its_path_and_advice
    message = message_of(Parser.new(Client.new))
    assert_match(/CallableTest::Parser/, message)
    assert_match(/@handler\.@io is an instance of IO/, message)
    assert_match(/inside `call`|LocalPool/, message)
  end

  def test_the_advice_for_an_unfrozen_object_is_to_freeze_it
    assert_match(/@handler \(Hash\) is not frozen. .*Ractor.make_shareable\(callable\)/,
                 message_of(Parser.new({}).freeze))
    assert_match(/it \(CallableTest::Parser\) is not frozen/, message_of(Parser.new(1)))
    refute_predicate Parser.new(1), :frozen?
  end

  def test_the_error_for_a_block_names_the_object_that_it_refers_to
    text = +"text"
    message = message_of(proc { text })
    assert_match(/callable_test.rb:\d+/, message)
    assert_match(/def self.call/, message)
    assert_match(/'text'|"text"|self/, message)
  end

  def test_an_object_without_a_call_method_is_refused
    assert_match(/\(Integer\) has no method `call`/, message_of(3))
    assert_match(/\(Symbol\) has no method `call`; pass `&:upcase` to `map` or `dispatch_async`, a module/,
                 message_of(:upcase))
    assert_match(/the callable is a Hash \(is the callable missing before the keywords\?\)/, message_of({ a: 1 }))
    assert_match(/callable Comparable has no method/, message_of(Comparable))
  end

  def test_a_hash_stands_for_a_missing_callable_only_in_a_dispatch
    workers = Ratomic::Workers
    [-> { workers.per_worker({ a: 1 }) }, -> { workers.pipeline(workers::ParseJSON, { a: 1 }) },
     -> { workers::Pool.new(on_worker_start: { a: 1 }) }].each do |wrong|
      message = assert_raises(workers::CallableError, &wrong).message
      assert_match(/ is a Hash, which has no method `call`/, message)
    end
  end

  def test_each_object_has_a_key_of_its_own
    assert_same Plain, Callable.key(Plain)
    callables = Array.new(2) { Parser.new(1) } + Array.new(2) { proc { |item| item } }
    keys = callables.map { |callable| Callable.key(callable) }
    assert_equal [4, keys], [keys.uniq.size, callables.map { |callable| Callable.key(callable) }]
    assert Ractor.shareable?(keys.freeze)
  end

  def test_its_label_is_the_name_of_its_class
    assert_equal %w[CallableTest::Plain CallableTest::Parser],
                 [Plain, Parser.new(1)].map { |callable| Callable.label(callable) }
    assert_match(/callable_test.rb:\d+/, Callable.label(proc { |item| item }))
  end

  # A request, say.
  class Request
    def method
      :get
    end

    def call(seconds)
      sleep(seconds)
      seconds
    end
  end

  def test_an_object_that_overrides_object_id_has_its_key_all_the_same
    request = Ractor.make_shareable(Request.new)
    assert_match(/callable_test.rb:\d+/, Callable.location(request))
    assert_empty Ratomic::Workers::IsolationLint.findings(request)
    pool = Ratomic::Workers::Pool.new(size: 1, min_batch: 0)
    results = pool.dispatch_async([0, 30, 0], request, item_timeout: ITEM_TIMEOUT_S).value(timeout: 15)
    assert_equal [0, "Ratomic::Workers::ItemTimeoutError", 0], [results[0], results[1].exception_class, results[2]]
  ensure
    pool&.kill
  end

  class Work
    def initialize
      @text = +"text"
    end

    def work(item)
      item + 1
    end
  end

  # What the message advises is done, and works.
  def run_in_a_worker(callable)
    pool = Ratomic::Workers::Pool.new(size: 1, min_batch: 0)
    pool.dispatch_async([4], callable).value!(timeout: 10)
  ensure
    pool&.kill
  end

  def test_a_method_becomes_shareable_as_the_message_says
    skip_without_ractors
    assert_match(/Use `Ractor.make_shareable\(method\)`/, message_of(Math.method(:sqrt)))
    assert_equal [2.0], run_in_a_worker(Ractor.make_shareable(Math.method(:sqrt)))
    method = Work.new.method(:work)
    message = message_of(method)
    assert_match(/its receiver \(an instance of CallableTest::Work\) is not shareable/, message)
    assert_match(/Make the receiver shareable \(`Ractor.make_shareable\(method.receiver\)`\) and then/, message)
    Ractor.make_shareable(method.receiver)
    assert_equal [5], run_in_a_worker(Ractor.make_shareable(method))
  end

  def test_no_advice_freezes_what_the_program_shares
    [$stdout.method(:puts), TOPLEVEL_BINDING.receiver.method(:to_s)].each do |method|
      message = message_of(method)
      refute_match(/make_shareable/, message)
      assert_match(
        /Use a module with `def self.call\(item\)`|receiver is an instance of IO.*inside `call`|belongs to the Ractor/,
        message
      )
    end
  end

  def test_a_method_of_the_main_object_is_to_go_into_a_module
    assert_match(/\Athe callable \(Method\) is not shareable: it is a Method, and its receiver .*Use a module/,
                 message_of(TOPLEVEL_BINDING.receiver.method(:to_s)))
  end

  def test_nothing_is_advised_that_this_ruby_does_not_have
    skip "this Ruby has Ractor.shareable_proc" if Ractor.respond_to?(:shareable_proc)
    list = []
    [:upcase.to_proc, ->(item) { list << item }].each do |block|
      assert_match(/Use a module with `def self.call\(item\)`\z/, message_of(block))
    end
  end

  def test_the_proc_of_a_symbol_is_refused_with_advice
    skip_without_ractors
    message = message_of(:bit_length.to_proc)
    assert_match(/the Proc of a Symbol/, message)
    assert_match(/`Ractor.shareable_proc { \|item\| item.bit_length }`/, message)
    assert_equal [3], run_in_a_worker(Ractor.shareable_proc { |item| item.bit_length }) # rubocop:disable Style/SymbolProc
  end

  def test_the_advice_for_a_composed_proc_is_to_write_it_out
    skip_without_ractors
    one = Ractor.shareable_proc { |item| item + 1 }
    [one >> one, one >> Math.method(:sqrt), one.curry, Math.method(:sqrt).to_proc, { 4 => 5 }.to_proc].each do |made|
      message = message_of(made)
      assert_match(/composed, curried, or made from a Method or a Hash/, message)
      assert_match(/`Ractor.shareable_proc { \|item\| ... }`, which calls what it is made of/, message)
      refute_match(/not supported|the proc  is/, message)
    end
    second = one
    assert_equal [6], run_in_a_worker(Ractor.shareable_proc { |item| second.call(one.call(item)) })
  end

  def test_an_object_that_raises_when_it_is_frozen_is_not_taken_for_one_of_this_ractor
    message = message_of(Parser.new(Class.new { def freeze = raise("the licence forbids it") }.new))
    assert_match(/@handler is an instance of .*: freezing or copying it raises RuntimeError: the licence/, message)
  end

  def test_threads_may_call_an_object_that_is_not_shareable
    ref = Callable.any(block = proc { |item| item })
    assert Ractor.shareable?(ref)
    assert_same block, Ratomic::Workers::RactorLocalRefs.take(ref)
    assert_same Plain, Callable.any(Plain)
    assert_raises(CallableError) { Callable.any(3) }
  end
end
