# frozen_string_literal: true

require "test_helper"
require "support/worker_process"

class AnswersTest < Minitest::Test
  include WorkerProcess

  Wire = Ratomic::Workers::Processes::Wire
  Ends = Struct.new(:control, :data)

  def setup
    super
    @control, control = UNIXSocket.pair
    @data, data = UNIXSocket.pair
    @sockets = [@control, control, @data, data]
    @answers = Processes::Answers.new(Ends.new(control, data), metrics)
  end

  def teardown
    @sockets&.each(&:close)
  end

  # @return [Array] what the process said at its end, and the results
  def answer
    results = []
    said = within(5) { @answers.await { |result| results << result } }
    [said, results]
  end

  def test_the_result_of_a_single_item_comes_through_the_control_socket
    @answers.expect(true, true)
    @data.write(Wire.frame(Wire::BEGUN))
    @control.write(Wire::LAST, Wire.result(["a"]), Wire.end(Wire::NOTHING))
    assert_equal [[nil, false], [["a"]]], answer
    refute_predicate @answers, :raised?
  end

  def test_results_of_several_items_come_through_the_data_socket
    @answers.expect(false, false)
    @data.write(Wire.frame(Wire::BEGUN), Wire.result(1), Wire.result({ "a" => 1..2 }), Wire.end([[[1, 0]], true]))
    @control.write(Wire::READY)
    said, results = answer
    assert_equal [[[[1, 0]], true], [1, { "a" => 1..2 }], false], [said, results, results[1].frozen?]
    assert_predicate @answers, :begun?
  end

  def test_a_result_that_fills_the_socket_is_read_while_it_is_written
    text = "x" * 3_000_000
    @answers.expect(true, true)
    @data.write(Wire.frame(Wire::BEGUN))
    writer = Thread.new do
      @control.write(Wire::FULL)
      @data.write(Wire.result(text), Wire.end(Wire::NOTHING))
      @control.write(Wire::READY)
    end
    assert_equal [[nil, false], [text]], answer
    within(5) { writer.join }
  end

  def test_frames_are_assembled_from_partial_reads
    @answers.expect(true, true)
    bytes = Wire::LAST + Wire.result("abc") + Wire.end(Wire::NOTHING)
    writer = Thread.new { bytes.each_char { |byte| @control.write(byte) && Thread.pass } }
    assert_equal [[nil, false], ["abc"]], answer
    within(5) { writer.join }
  end

  # That it had begun says the other socket, which nobody reads for one result.
  def test_a_begun_frame_of_the_last_request_does_not_count_for_the_next
    200.times do |item|
      @answers.expect(true, true)
      @data.write(Wire.frame(Wire::BEGUN))
      @control.write(Wire::LAST, Wire.result(item), Wire.end(Wire::NOTHING))
      assert_equal [[nil, false], [item]], answer
    end
    @answers.expect(true, true)
    [@control, @data].each(&:close)
    assert_equal [nil, []], answer
    refute_predicate @answers, :begun?
  end

  def test_a_process_that_dies_in_an_item_has_begun_its_request
    3.times do |item|
      @answers.expect(true, true)
      @data.write(Wire.frame(Wire::BEGUN))
      @control.write(Wire::LAST, Wire.result(item), Wire.end(Wire::NOTHING)) if item < 2
      [@control, @data].each(&:close) if item == 2
      assert_equal item == 2 ? [nil, []] : [[nil, false], [item]], answer
    end
    assert_predicate @answers, :begun?
  end

  def test_the_results_of_a_run_are_read_and_whether_it_raised
    @answers.expect(true, true)
    @data.write(Wire.frame(Wire::BEGUN))
    @control.write(Wire::LAST, Wire.run([1, Ratomic::Workers::DROPPED, :c]), Wire.end(Wire::NOTHING))
    assert_equal [[nil, false], [[1, Ratomic::Workers::DROPPED, :c]]], answer
    @answers.expect(true, true)
    @control.write(Wire::LAST, Wire.frame(Wire::RAISED), Wire.end(Wire::NOTHING))
    assert_equal [[nil, false], []], answer
    assert_predicate @answers, :raised?
  end

  def test_the_reason_is_told_when_the_process_cannot_read_a_request
    @answers.expect(true, true)
    @data.write(Wire.frame(Wire::UNREADABLE, "ArgumentError: undefined class".b), Wire.end(Wire::NOTHING))
    @control.write(Wire::READY)
    assert_equal [[nil, false], []], answer
    assert_equal "ArgumentError: undefined class", @answers.unreadable
    @answers.expect(true, true)
    assert_nil @answers.unreadable
  end

  def test_errors_of_start_and_stop_hooks_are_counted
    failure = Ratomic::Workers::Failure.from(KeyError.new("no such key"), nil)
    @data.write(Wire.frame(Wire::TROUBLE, Marshal.dump(failure)), Wire.frame(Wire::REPLACED))
    @control.write(Wire::READY)
    within(5) { @answers.await_start }
    assert_equal [1, ["no such key"]], [metrics.runners_replaced.value, metrics.troubles.map(&:message)]
    @data.write(Wire.frame(Wire::TROUBLE, Marshal.dump(failure)))
    @data.close
    within(5) { @answers.await_end }
    assert_equal 2, metrics.troubles.size
  end

  def test_waiting_for_the_start_ends_when_the_process_dies
    [@control, @data].each(&:close)
    assert_nil(within(5) { @answers.await_start })
  end
end
