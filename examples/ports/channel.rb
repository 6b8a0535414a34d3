# frozen_string_literal: true

module Ports
  # A channel on bare ports. Only the Ractor that made a port can receive from it. So a channel with many receivers is a
  # Ractor: it keeps what was put in, and the ports of the receivers that wait. Frozen and shareable. It has no bound.
  class Channel
    def initialize
      @keeper = Ractor.new do
        items = []
        takers = []
        while (message = Ractor.receive)
          kind, content = message
          kind == :put ? items << content : takers << content
          takers.shift.send(items.shift) until takers.empty? || items.empty?
        end
      end
      freeze
    end

    # @return [void]
    def put(item)
      @keeper.send([:put, item].freeze)
    end

    # @param port [Ractor::Port] of the Ractor that calls this
    # @return [Object] the next item
    def take(port)
      @keeper.send([:take, port].freeze)
      port.receive
    end

    # @return [void]
    def close
      @keeper.send(nil)
      @keeper.join
    end
  end
end
