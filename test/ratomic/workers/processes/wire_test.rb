# frozen_string_literal: true

require "test_helper"

class WireTest < Minitest::Test
  Wire = Ratomic::Workers::Processes::Wire
  Processes = Ratomic::Workers::Processes
  Point = Struct.new(:x, :y)

  # @return [Array] the letter of a frame and what its reader makes of it
  def taken(frame, frozen: true)
    Processes::PlainData.take(+"".b, frame.b, frozen)
  end

  def result(object, frozen: true, &block)
    letter, content, *rest = taken(Wire.result(object, &block), frozen: frozen)
    assert_empty rest
    [letter, Wire.read_result(letter, content)]
  end

  def test_text_and_plain_data_cross_in_the_native_form_and_others_by_marshal
    point = Point.new(1, [2])
    assert_equal [Wire::PLAIN, { "a" => 1 }], result({ "a" => 1 })
    assert_equal [Wire::TEXT, "\u00e4"], result("\u00e4")
    assert_equal [Wire::RESULT, point], result(point)
    assert_equal [Wire::PLAIN, "\xff".b], result("\xff".b)
    letter, dropped = result(Ratomic::Workers::DROPPED)
    assert_equal Wire::DROP, letter
    assert_same Ratomic::Workers::DROPPED, dropped
  end

  def test_plain_results_are_read_frozen_or_mutable
    assert result(["a", +"b"])[1].then { |made| made.frozen? && made.all?(&:frozen?) }
    refute result(["a"], frozen: false)[1].frozen?
    assert_predicate result("text")[1], :frozen?
    refute result("text", frozen: false)[1].frozen?
  end

  def test_a_frame_that_is_too_long_for_its_number_of_bytes_is_refused
    long = +"x"
    def long.bytesize = 1 << 32
    error = assert_raises(Ratomic::ShareableError) { Wire.frame(Wire::TEXT, long) }
    assert_match(/4294967296 bytes are too many .*; split it, or pass the name of a file/, error.message)
  end

  def test_a_result_that_cannot_be_written_is_replaced
    assert_equal [Wire::RESULT, "Proc"], result(proc {}) { |odd| odd.class.name }
    assert_nil Wire.dump(proc {})
    assert_equal "[:a][1] (an instance of Proc)", Wire.obstacle({ a: [1, proc {}] })
  end

  def test_a_failure_arrives_shareable
    failure = Ratomic::Workers::Failure.from(RuntimeError.new("no"), 3)
    letter, made = result(failure)
    assert_equal [Wire::RESULT, 3, "no", true], [letter, made.index, made.message, Ractor.shareable?(made)]
  end

  def run_of(results, frozen: true, &block)
    letter, content = taken(Wire.run(results, &block), frozen: frozen)
    [letter, Wire.read_run(content)]
  end

  def test_the_results_of_a_run_are_one_frame
    dropped = Ratomic::Workers::DROPPED
    assert_equal [Wire::PLAIN_RUN, ["a", dropped, [1]]], run_of(["a", dropped, [1]])
    assert_equal [Wire::RUN, [Point.new(1, 2), dropped]], run_of([Point.new(1, 2), dropped])
    assert_equal [Wire::RUN, [1, "Proc at 2", "b"]].then { |letter, list| [letter, [1, dropped, *list.drop(1)]] },
                 run_of([1, dropped, proc {}, "b"]) { |odd, place| "#{odd.class} at #{place}" }
    assert_equal [Wire::PLAIN_RUN, []], run_of([])
  end

  def test_the_end_frame_is_short_when_it_carries_nothing
    assert_equal [Wire::DONE, ""], taken(Wire.end(Wire::NOTHING))
    assert_equal [nil, false], Wire.read_end("")
    assert_equal [[[1, 2]], true], Wire.read_end(taken(Wire.end([[[1, 2]], true]))[1])
  end
end
