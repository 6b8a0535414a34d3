# frozen_string_literal: true

require "support/worker_callables"

# For tests of what stands behind a pool, each part by itself.
module EngineRoom
  include WorkerCallables

  # An accepted dispatch, which nobody has put into the run queue.
  def batch(items, callable = Double, **options)
    items = Ractor.make_shareable(items)
    options = Ratomic::Workers::Options.new(options)
    made = Ratomic::Workers::Batch.new(items, items.size, items.size, callable, options, items.size * 64)
    made.tap { @engine.accept(made) }
  end

  # Takes the room in the run queue for what was begun, so that so many more fit in.
  def fill_begun(room = 0)
    nil while @engine.run_queue.put_back(filler)
    room.times { @engine.run_queue.try_pop }
  end

  def filler
    Ratomic::Workers::Batch.new([1].freeze, 1, 1, Comparable, Ratomic::Workers::Options.new, 64)
  end

  # What the coordinator is told by the block. Its mailbox is @mailbox, which nobody else reads.
  def told
    yield
    @mailbox.send(:end)
    within(5) { Enumerator.produce { @mailbox.receive }.take_while { |message| message != :end } }
  end

  # Waits for the batch.
  def assert_results(expected, made)
    assert made.completion.wait(5)
    assert_equal expected, made.completion.to_a
  end
end
