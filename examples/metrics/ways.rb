# frozen_string_literal: true

module Metrics
  # Counts lines with some workers and a keeper. Each worker parses and counts its own share of the lines.
  module Ways
    # Ractors that write to one Map; threads on a Ruby without Ractors.
    module SharedMap
      # @param shares [Array<Array<String>>] one for each worker, shareable
      # @return [Totals]
      def self.call(shares)
        metrics = Shared.new
        Ways.workers(shares, metrics)
        metrics.totals
      end
    end

    # Threads and a Mutex.
    module Mutex
      # (see SharedMap.call)
      def self.call(shares)
        metrics = Locked.new
        shares.map { |lines| Thread.new { Ways.count(lines, metrics) } }.each(&:join)
        metrics.totals
      end
    end

    # Ractors that send every change to the Ractor that owns the Hash.
    module OwnerRactor
      # (see SharedMap.call)
      def self.call(shares)
        metrics = Owner.new
        Ways.workers(shares, metrics)
        metrics.totals
      ensure
        metrics&.close
      end
    end

    # @param metrics [#count] shareable
    # @return [void]
    def self.workers(shares, metrics)
      return shares.map { |lines| Thread.new { count(lines, metrics) } }.each(&:join) unless Ratomic::RACTORS

      shares.map { |lines| Ractor.new(lines, metrics) { |mine, shared| Ways.count(mine, shared) } }.each(&:join)
    end

    # What a worker does.
    # @return [void]
    def self.count(lines, metrics)
      lines.each { |line| metrics.count(Change.parse(line)) }
      nil
    end
  end

  # By the names in the table. Without Ractors (before Ruby 4.0) there is no owner to send to.
  WAYS = {
    "Map and Counter" => Ways::SharedMap, "Mutex, threads" => Ways::Mutex,
    "Ractor owns a Hash" => (Ways::OwnerRactor if Ratomic::RACTORS)
  }.compact.freeze
end
