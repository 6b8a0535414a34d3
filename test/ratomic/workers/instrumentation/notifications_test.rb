# frozen_string_literal: true

require "test_helper"
require "ratomic/workers/instrumentation/notifications"
require "support/libraries"
require "support/worker_callables"
require "support/worker_pools"

class NotificationsTest < Minitest::Test
  include Libraries
  include WorkerCallables
  include WorkerPools

  def setup
    super
    need "logger", "ruby" # older ones of ActiveSupport forget it
    need "active_support", "ruby-activesupport"
    require "active_support/notifications"
    @bus = ActiveSupport::Notifications
    @subscribers = []
  end

  def teardown
    @subscribers&.each { |subscriber| @bus.unsubscribe(subscriber) }
    super
  end

  def listen(pattern, &block)
    @subscribers << @bus.subscribe(pattern, &block)
  end

  def played
    pool = new_pool(name: "parsers")
    subscription = Ratomic::Workers::Instrumentation::Notifications.subscribe(pool)
    pool.dispatch_async([1, :raise_error, 3], Misbehave, context: "a.csv").value
    subscription.cancel
    assert subscription.join(timeout: 5)
  end

  def test_events_have_names_and_payloads
    heard = []
    listen(/\.ratomic\z/) { |name, started, finished, id, payload| heard << [name, started, finished, id, payload] }
    played
    names = heard.map(&:first)
    assert_equal %w[completed.ratomic dispatched.ratomic failed.ratomic], (names - ["worker_started.ratomic"]).sort
    payload = heard.assoc("completed.ratomic").last
    assert_equal ["parsers", 3, "a.csv"], payload.values_at(:pool, :items, :context)
    assert_kind_of Float, payload[:seconds]
    refute_includes payload.keys, :name
    failed = heard.assoc("failed.ratomic").last
    assert_equal ["KeyError", 1], [failed[:failure].exception_class, failed[:item]]
  end

  def test_subscribers_that_take_an_event_get_one
    heard = []
    listen("completed.ratomic") { |event| heard << event }
    played
    assert_equal ["completed.ratomic", 3], [heard[0].name, heard[0].payload[:items]]
    assert_equal 1, heard.size
    return unless @bus.respond_to?(:publish_event)

    assert_in_delta heard[0].payload[:seconds] * 1000, heard[0].duration, 0.01
  end

  def test_a_subscriber_that_raises_ends_nothing
    listen("dispatched.ratomic") { raise "no" }
    heard = []
    listen("completed.ratomic") { |*event| heard << event }
    played
    assert_equal 1, heard.size
  end
end
