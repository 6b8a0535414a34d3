# frozen_string_literal: true

require "test_helper"
require "support/engine_room"

class CopiedShareTest < Minitest::Test
  include EngineRoom

  Workers = Ratomic::Workers

  def setup
    @mailbox = Workers::Mailbox::QueueMailbox.new
    @engine = Workers::Engine.new(Workers::Settings.new(size: 2, backend: :thread), @mailbox)
    @copies = Workers::CopiedShare.new(batch([1, 2, 3], results: :owned))
  end

  def test_each_run_comes_as_a_copy_at_once
    failure = Workers::Failure.new(1, "KeyError", "x")
    home, same, other = @copies.keep(5, ["a", failure, ["b"]])
    assert_same home, other
    assert_same failure, same
    assert_predicate home, :arrived?
    assert_equal({ 5 => ["a", nil, ["b"]] }, home.take)
  end

  def test_a_result_that_cannot_be_copied_is_a_failure_and_the_others_are_not
    one, two, three = @copies.keep(5, ["a", Thread::Mutex.new, "c"])
    assert_equal [{ 5 => ["a"] }, { 7 => ["c"] }], [one.take, three.take]
    assert_equal 6, two.index
    assert_match(/Mutex.* cannot be copied/, two.message)
    assert_equal [one, two, three], @copies.keep_again(5, [one, two, three])
  end

  def test_from_a_ractor_that_is_not_the_callers_share_are_copies
    skip_without_ractors
    made = Ractor.make_shareable(batch([1], results: :owned))
    assert(in_ractor(made) { |b| Ratomic::Workers::Share.beside(b).is_a?(Ratomic::Workers::CopiedShare) })
  end
end
