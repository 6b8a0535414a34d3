# frozen_string_literal: true

require "test_helper"
require "support/engine_room"

class OwnedChunkTest < Minitest::Test
  include EngineRoom

  Workers = Ratomic::Workers

  module Fresh
    def self.call(item)
      item == :raise ? raise(KeyError, "x") : [item.to_s]
    end
  end

  def setup
    @mailbox = Workers::Mailbox::QueueMailbox.new
    @engine = Workers::Engine.new(Workers::Settings.new(size: 2, backend: :thread), @mailbox)
    @batch = batch([1, :raise, 3], Fresh, results: :owned)
    @share = Workers::Share.new(@batch)
    @chunk = Workers::OwnedChunk.new(@batch, Fresh, 0, 3, 1, 0).into(@share)
  end

  def test_its_results_stay_as_they_are_in_the_share
    assert @chunk.run(Workers::SupervisedRun::Guard)
    refute_predicate @chunk, :cut?
    @chunk.seal
    filed = @chunk.results
    @chunk.seal
    assert_same filed, @chunk.results
    assert_equal [@share.home, Workers::Failure, @share.home], [filed[0], filed[1].class, filed[2]]
    assert_equal [["1"], ["3"]], @share.runs[0].values_at(0, 2)
    refute_predicate @share.runs[0][0], :frozen?
    assert_predicate @chunk, :failed?
  end

  def test_results_so_far_can_be_filed_during_the_run_and_after_it
    @chunk.results << ["1"]
    assert_equal [@share.home], @chunk.stand_ins(@chunk.so_far)
    @chunk.results << ["2"] << ["3"]
    late = @chunk.so_far
    @chunk.seal
    assert_equal [@share.home] * 3, @chunk.stand_ins(late)
    assert_equal [["1"], ["2"], ["3"]], @share.runs[0]
  end

  # As when a deadline has the results so far filed while an item runs, and a caller of each_completed takes them.
  def test_by_itself_it_gives_what_comes_after_its_results_so_far_another_home
    @engine.metrics.abandoned.increment
    chunk = Workers::OwnedChunk.new(@batch, Fresh, 0, 3, 1)
    chunk.results << ["1"]
    @batch.completion.file(0, chunk.stand_ins(chunk.so_far))
    unpacking = Workers::Unpacking.new(@engine, @batch)
    assert_equal ["1"], unpacking.take(0)
    chunk.results << ["2"] << ["3"]
    chunk.seal
    @batch.completion.file(0, chunk.results)
    assert_equal [["2"], ["3"]], [unpacking.take(1), unpacking.take(2)]
  end

  def test_by_itself_it_has_a_share_beside_the_caller
    chunk = Workers::OwnedChunk.new(@batch, Fresh, 2, 3, 1)
    assert_same chunk, chunk.share_memory
    chunk.run(Workers::SupervisedRun::Guard)
    chunk.seal
    assert_equal({ 2 => [["3"]] }, chunk.results[0].take)
  end
end
