# frozen_string_literal: true

require "test_helper"

class ChunkRequestTest < Minitest::Test
  Workers = Ratomic::Workers
  Processes = Workers::Processes

  # A chunk of items from 10 on, as far as a request needs it.
  class Chunk
    attr_reader :results, :first, :last, :requests, :was_cut
    attr_accessor :death, :in_run, :whole, :slow_path, :over
    alias whole? whole
    alias slow_path? slow_path
    alias over? over

    def initialize(size)
      @first = 10
      @last = 10 + size
      @results = []
      @requests = []
    end

    def request(kind, from, to)
      [kind, from, to].tap { |request| @requests << request }
    end

    def add(result)
      @results << result
    end

    def add_run(results)
      @results.concat(results)
    end

    def cut_short
      @was_cut = @first + @results.size < @last
    end

    def sealed(result, index)
      [result, index]
    end
  end

  # A process that answers as it is told.
  class Link
    attr_reader :death

    # @param answers [Array<Array>] for each request an outcome and what comes of it
    def initialize(*answers, death: "was killed")
      @answers = answers
      @death = death
    end

    def run(_request, _aside = nil, &results)
      outcome, *made = @answers.shift
      raise outcome if outcome.is_a?(Exception)

      made.each(&results)
      outcome
    end
  end

  # Notes what is watched.
  class Status
    attr_reader :told
    attr_accessor :abandoned
    alias abandoned? abandoned

    def initialize
      @told = []
    end

    def begin_item(index)
      @told << index
    end

    def end_item
      @told << :end
    end
  end

  EACH = Processes::Request::EACH
  RUN = Processes::Request::RUN

  def run_chunk(chunk, *answers, status: Status.new)
    Processes::ChunkRequest.new(chunk, Link.new(*answers)).run(status, Thread::Mutex.new)
  end

  def test_all_items_of_a_chunk_are_sent_in_one_request
    chunk = Chunk.new(3)
    assert run_chunk(chunk, %i[done a b c])
    assert_equal [%i[a b c], [[EACH, 10, 13]], false], [chunk.results, chunk.requests, chunk.was_cut]
  end

  def test_a_chunk_is_shortened_when_the_process_stops_early
    chunk = Chunk.new(3)
    assert run_chunk(chunk, %i[done a])
    assert_equal [[:a], true], [chunk.results, chunk.was_cut]
  end

  def test_results_from_before_the_death_of_a_process_are_kept
    chunk = Chunk.new(3)
    refute run_chunk(chunk, %i[died a])
    assert_equal [[:a], "was killed"], [chunk.results, chunk.death]
  end

  def test_nothing_is_sent_for_a_dispatch_that_is_over
    chunk = Chunk.new(2)
    chunk.over = true
    assert run_chunk(chunk)
    assert_empty chunk.requests
  end

  def test_a_run_that_raises_is_repeated_item_by_item
    chunk = Chunk.new(2)
    chunk.whole = true
    assert run_chunk(chunk, [:done, %i[a b]])
    assert_equal [%i[a b], [[RUN, 10, 12]], false], [chunk.results, chunk.requests, chunk.in_run]
    chunk = Chunk.new(2)
    chunk.whole = true
    assert run_chunk(chunk, [:raised], %i[done a b])
    assert_equal [%i[a b], [[RUN, 10, 12], [EACH, 10, 12]]], [chunk.results, chunk.requests]
  end

  def test_items_that_cannot_be_sent_together_are_sent_one_by_one
    chunk = Chunk.new(2)
    chunk.whole = true
    assert run_chunk(chunk, [:raised], [:raised], %i[done a], %i[done b])
    assert_equal [[[:a, 10], [:b, 11]], false], [chunk.results, chunk.in_run]
    assert_equal [[RUN, 10, 12], [EACH, 10, 12], [EACH, 10, 11], [EACH, 11, 12]], chunk.requests
  end

  def test_the_death_of_a_process_in_a_run_is_noted_as_such
    chunk = Chunk.new(2)
    chunk.whole = true
    refute run_chunk(chunk, [:died])
    assert_equal [true, "was killed"], [chunk.in_run, chunk.death]
  end

  def test_items_with_a_time_limit_are_sent_one_by_one_and_their_start_is_noted
    chunk = Chunk.new(2)
    chunk.slow_path = true
    status = Status.new
    assert run_chunk(chunk, %i[done a], %i[done b], status: status)
    assert_equal [[[:a, 10], [:b, 11]], [10, :end, 11, :end]], [chunk.results, status.told]
    assert_equal [[EACH, 10, 11], [EACH, 11, 12]], chunk.requests
  end

  def test_an_item_with_a_time_limit_that_ends_its_process_has_no_result
    chunk = Chunk.new(3)
    chunk.slow_path = true
    refute run_chunk(chunk, %i[done a], [:died])
    assert_equal [[[:a, 10]], "was killed"], [chunk.results, chunk.death]
  end

  def test_an_abandoned_worker_sends_nothing
    chunk = Chunk.new(2)
    chunk.slow_path = true
    status = Status.new
    status.abandoned = true
    assert run_chunk(chunk, status: status)
    assert_empty chunk.results
  end

  def test_every_item_fails_when_the_callable_cannot_be_sent
    chunk = Chunk.new(2)
    chunk.whole = true
    assert run_chunk(chunk, [Ratomic::ShareableError.new("context: cannot cross")])
    assert_equal [[10, "context: cannot cross"], [11, "context: cannot cross"]],
                 (chunk.results.map { |failure| [failure.index, failure.message] })
    refute chunk.in_run
  end
end
