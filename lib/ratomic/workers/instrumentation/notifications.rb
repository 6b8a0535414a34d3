# frozen_string_literal: true

require_relative "../../../ratomic"

module Ratomic
  module Workers
    module Instrumentation
      # Publishes the events of a pool through ActiveSupport::Notifications, under names like "completed.ratomic" (see
      # {Event#name}). The program loads ActiveSupport.
      #
      #   require "ratomic/workers/instrumentation/notifications"
      #   Ratomic::Workers::Instrumentation::Notifications.subscribe(pool)
      #   ActiveSupport::Notifications.subscribe("completed.ratomic") { |event| puts event.payload[:items] }
      #
      # The payload is {Event#to_h} without the name. With ActiveSupport 7.0 or newer the event "completed.ratomic"
      # begins when the dispatch was made; an older one has no way to say that. `payload[:seconds]` always says how long
      # the dispatch took.
      #
      # While a pool has subscribers, workers run all dispatches; callers do not run small ones themselves.
      class Notifications
        SUFFIX = ".ratomic"

        # @param pool [Pool]
        # @param notifications [Module] ActiveSupport::Notifications
        # @return [Subscription]
        def self.subscribe(pool, notifications = ::ActiveSupport::Notifications)
          bridge = new(notifications)
          pool.subscribe { |event| bridge.call(event) }
        end

        def initialize(notifications)
          @notifications = notifications
        end

        # @param event [Event]
        def call(event)
          name = "#{event.name}#{SUFFIX}"
          payload = event.to_h.reject { |key, _| key == :name }
          @notifications.respond_to?(:publish_event) ? publish(name, event, payload) : instrument(name, payload)
        end

        private

        def publish(name, event, payload)
          began = event.time - (event.name == :completed ? event[:seconds] : 0)
          id = @notifications.instrumenter.id
          @notifications.publish_event(::ActiveSupport::Notifications::Event.new(name, began, event.time, id, payload))
        end

        # ActiveSupport has three kinds of subscribers, and without `publish_event` only `instrument` reaches all of
        # them.
        def instrument(name, payload)
          @notifications.instrument(name, payload)
        end
      end
    end
  end
end
