# frozen_string_literal: true

require "test_helper"

class WorkersEventTest < Minitest::Test
  Workers = Ratomic::Workers

  def test_it_tells_what_happened_where_and_to_which_dispatch
    batch = Workers::Batch.new([1].freeze, 1, 1, Comparable, Workers::Options.new(context: :trace), 64)
    event = Workers::Event.new(:completed, "parsers", batch, items: 1)
    assert_equal [:completed, "parsers", batch.ticket, :trace, 1],
                 [event.name, event.pool, event.dispatch, event.context, event[:items]]
    assert_equal({ name: :completed, pool: "parsers", dispatch: batch.ticket, context: :trace, items: 1 },
                 event.to_h.reject { |key, _| key == :time })
    assert_in_delta Time.now.to_f, event.time, 5
    assert Ractor.shareable?(event)
  end

  def test_it_may_be_about_no_dispatch
    event = Workers::Event.new(:worker_started, "parsers", nil, worker: 1)
    assert_nil event.dispatch
    assert_nil event.context
  end
end
