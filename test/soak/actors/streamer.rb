# frozen_string_literal: true

require_relative "actor"

module Soak
  # Streams, some of them left in the middle.
  class Streamer < Actor
    def act
      items = Work.items(@random, 300)
      stream = @stage.pool(@random).stream(items, Work, max_in_flight: @random.rand(1..100), key: key)
      results = chance(0.2) ? stream.first(@random.rand(50)) : stream.to_a
      Work.compare(items.first(results.size), results, results.none? { |result| ended?(result) })
    rescue Ratomic::Workers::ShutdownError
      nil
    end

    private

    def key
      [nil, ->(item) { item[0] % 7 }][@random.rand(2)]
    end

    def ended?(result)
      Ratomic::Workers::Failure === result && Work::OUTSIDE.include?(result.exception_class)
    end
  end
end
