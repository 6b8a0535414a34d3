# frozen_string_literal: true

require_relative "../../../ratomic"

module Ratomic
  module Workers
    module Instrumentation
      # Hands the events of a pool to ActiveSupport::Notifications, which the program has loaded, as "completed.ratomic"
      # and so on, see {Event#name}.
      #
      #   require "ratomic/workers/instrumentation/notifications"
      #   Ratomic::Workers::Instrumentation::Notifications.subscribe(pool)
      #   ActiveSupport::Notifications.subscribe("completed.ratomic") { |event| ... event.payload[:items] ... }
      #
      # The payload is {Event#to_h} without the name. "completed.ratomic" begins when the dispatch was made, as far as
      # ActiveSupport (7.0 and newer) can be told so; `payload[:seconds]` says how long it took in any case.
      #
      # While a pool has subscribers its callers run no small work themselves.
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

        # Its subscribers are of three kinds, and only this reaches all of them.
        def instrument(name, payload)
          @notifications.instrument(name, payload)
        end
      end
    end
  end
end
