# frozen_string_literal: true

require "test_helper"

class RequestTest < Minitest::Test
  Request = Ratomic::Workers::Processes::Request
  Options = Struct.new(:context)
  # What a request asks of a batch.
  Batch = Struct.new(:options, :moved, :owned) do
    alias_method :moved?, :moved
    alias_method :owned?, :owned
  end

  def request(items, kind: Request::EACH, context: nil, moved: false, owned: false)
    Request.new(kind, :callable, Batch.new(Options.new(context), moved, owned), items, 4, nil)
  end

  # @return [Array] the letter and what a worker process reads
  def read(request)
    frame = request.to_frame(7, nil, nil)
    letter, = frame.unpack("aN")
    [letter, Request.read(letter, frame.byteslice(5, frame.bytesize))]
  end

  def test_plain_items_cross_as_plain_data_and_frozen
    letter, order = read(request([{ "a" => +"b" }]))
    assert_equal ["F", [Request::EACH, 7, nil, nil, 4, nil, false, nil, [{ "a" => "b" }]]], [letter, order]
    assert order.last.first.then { |item| item.frozen? && item["a"].frozen? }
    letter, order = read(request([[+"a"]], moved: true))
    assert_equal "O", letter
    refute order.last.first.frozen?
    refute order.last.first.first.frozen?
  end

  def test_other_items_cross_by_marshal
    letter, order = read(request([1..2, "a"]))
    assert_equal ["f", [1..2, "a"]], [letter, order.last]
    assert order.last.frozen?
    letter, order = read(request([Time.at(0)], moved: true))
    assert_equal ["o", [Time.at(0)]], [letter, order.last]
    assert_equal [true, false], %w[F o].map { |kind| Request.frozen_results?(kind) }
  end

  def test_an_item_that_cannot_be_sent_fails_alone_and_its_run_is_sent_item_by_item
    letter, order = read(request([1, [proc {}], 3]))
    assert_equal "f", letter
    assert_equal [1, 3], order.last.values_at(0, 2)
    assert_match(/\[0\] \(an instance of Proc\)/, order.last[1].failure.message)
    assert_equal 5, order.last[1].failure.index
    assert_nil request([1, proc {}], kind: Request::RUN).to_frame(7, nil, nil)
  end

  def test_a_context_that_cannot_be_sent_raises
    error = assert_raises(Ratomic::ShareableError) { request([1], context: { a: proc {} }).to_frame(7, nil, nil) }
    assert_match(/context: .*\[:a\]/, error.message)
  end

  def test_results_are_frozen_unless_they_are_owned
    assert_predicate request([1]), :frozen_results?
    refute request([1], owned: true).frozen_results?
  end
end
