# frozen_string_literal: true

require "test_helper"
require "support/worker_process"

class ServerTest < Minitest::Test
  include WorkerProcess

  Wire = Ratomic::Workers::Processes::Wire
  Request = Ratomic::Workers::Processes::Request
  Ends = Struct.new(:control, :data)

  # What a hook or an item was called with.
  TOLD = Thread::Queue.new

  # Doubles; with what is none of its items it goes wrong.
  class Twice
    def call(item)
      return item if IO === item
      return Thread.current if item == :thread
      return Ratomic::Workers.context if item == :context

      item * 2
    end

    def call_many(items)
      raise KeyError, "no run" if items.include?(:no_run)

      items.map { |item| item * 2 }
    end
  end

  # Tells of its worker.
  class Tell
    def initialize(what)
      @what = what
    end

    def call(worker)
      TOLD << [@what, worker, Thread.current]
      raise KeyError, "not #{@what}" if @what == :raise

      Thread.exit if @what == :exit
    end
  end

  def setup
    super
    TOLD.clear
    @control, control = UNIXSocket.pair
    @data, data = UNIXSocket.pair
    @sockets = [@control, control, @data, data]
    @ends = [control, data]
  end

  def teardown
    [@control, @data].each(&:close) if @sockets
    within(5) { @thread&.join }
    @sockets&.each(&:close)
  end

  # A server in a thread of this process.
  def serve(*told)
    @server = Processes::Server.new(*@ends, Quiet.new(*told), 4)
    again
  end

  def again
    @thread = Thread.new { @server.run }
    @answers = Processes::Answers.new(Ends.new(@control, @data), metrics)
  end

  # Hooks, as they are, without a look at whether they can be shared.
  class Quiet
    def initialize(start = nil, stop = nil)
      @start = start
      @stop = stop
    end

    def any?
      !(@start || @stop).nil?
    end

    def start(worker, &block)
      call(@start, worker, block)
    end

    def stop(worker, &block)
      call(@stop, worker, block)
    end

    private

    def call(hook, worker, trouble)
      hook&.call(worker)
    rescue KeyError => e
      trouble.call(e)
    end
  end

  # @return [Array] what it says at the end, and the results
  def ask(items, callable: @callable ||= Twice.new, **options)
    request = request(callable, items, **options)
    number = Ratomic::Reflection.id_of(callable)
    @answers.expect(request.frozen_results?, request.single?)
    @control.write(request.to_frame(number, Processes::InheritedCallables.write(callable, {}), nil))
    results = []
    [within(5) { @answers.await { |result| results << result } }, results]
  end

  def test_items_run_one_by_one_and_errors_become_failures
    serve
    assert_equal [[nil, false], [4]], ask([2])
    said, results = ask([1, nil, 3], first: 5)
    assert_equal [[nil, false], 2, 6], [said, *results.values_at(0, 2)]
    assert_equal ["NoMethodError", 6], [results[1].exception_class, results[1].index]
  end

  def test_many_requests_are_served_one_after_another
    serve
    300.times { |n| assert_equal [[nil, false], [n * 2]], ask([n]) }
  end

  def test_a_run_calls_call_many_once
    serve
    assert_equal [[nil, false], [[2, 4]]], ask([1, 2], kind: Request::RUN)
    refute_predicate @answers, :raised?
    assert_equal [[nil, false], []], ask([:no_run], kind: Request::RUN)
    assert_predicate @answers, :raised?
  end

  def test_large_results_are_sent_back
    serve
    text = "x" * 2_500_000
    assert_equal [[nil, false], [text * 2]], ask([text])
    assert_equal [text * 2, "ab" * 2], ask([text, "ab"])[1]
  end

  def test_the_context_is_set_while_an_item_runs
    serve
    assert_equal [{ a: 1 }], ask([:context], context: { a: 1 })[1]
    assert_equal [nil], ask([:context])[1]
  end

  def test_a_result_that_cannot_be_sent_is_a_failure
    serve
    failure = ask([:thread], owned: true)[1][0]
    assert_equal ["Ratomic::ShareableError", 0], [failure.exception_class, failure.index]
    assert_match(/result \(Thread\) cannot cross/, failure.message)
  end

  def test_a_request_that_cannot_be_read_is_answered_with_the_reason
    serve
    @answers.expect(true, true)
    @control.write(Wire.frame(Request::FROZEN, "\x04\bo:\x12NoSuchClass0\x00".b))
    assert_equal([nil, false], within(5) { @answers.await { nil } })
    assert_match(/undefined class/, @answers.unreadable)
    assert_equal [[nil, false], [4]], ask([2])
  end

  def test_the_server_ends_when_its_parent_ends
    serve
    ask([1])
    @control.close
    assert_equal true, within(5) { @thread.value }
  end

  def test_the_server_ends_when_its_parent_ends_during_a_request
    serve
    @control.write(["F", 100, "abc"].pack(Wire::FRAME))
    @control.close
    assert_equal true, within(5) { @thread.value }
  end

  def test_hooks_run_in_the_server_thread_at_start_and_stop
    serve(Tell.new(:start), Tell.new(:stop))
    within(5) { @answers.await_start }
    ask([1])
    assert_equal [[:start, 4, @thread]], Array.new(TOLD.size) { TOLD.pop }
    @control.write(Wire.frame(Wire::STOP))
    assert_equal true, within(5) { @thread.value }
    assert_equal [[:stop, 4, @thread]], Array.new(TOLD.size) { TOLD.pop }
  end

  def test_the_stop_hook_does_not_run_when_the_parent_dies
    serve(Tell.new(:start), Tell.new(:stop))
    within(5) { @answers.await_start }
    @control.close
    within(5) { @thread.join }
    assert_equal 1, TOLD.size
  end

  def test_errors_of_hooks_are_sent_to_the_parent
    serve(Tell.new(:raise), Tell.new(:raise))
    within(5) { @answers.await_start }
    assert_equal ["not raise"], metrics.troubles.map(&:message)
    assert_equal [4], ask([2])[1]
    @control.write(Wire.frame(Wire::STOP))
    within(5) { @thread.join }
    @ends[1].close
    within(5) { @answers.await_end }
    assert_equal 2, metrics.troubles.size
  end

  def test_a_start_hook_that_ends_its_thread_is_not_called_again
    serve(Tell.new(:exit))
    within(5) { @thread.join }
    assert_predicate @server, :starting?
    again
    within(5) { @answers.await_start }
    refute_predicate @server, :starting?
    assert_equal [4], ask([2])[1]
    assert_equal [1, 1], [TOLD.size, metrics.runners_replaced.value]
  end
end
