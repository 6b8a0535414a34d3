# frozen_string_literal: true

module Ratomic
  module Workers
    # The statistics of pools in the text format that Prometheus reads (version 0.0.4).
    class Prometheus
      PREFIX = "ratomic_workers_"
      # name => [type, help, path of its value in {Pool#stats}]
      METRICS = {
        "dispatches_total" => ["counter", "Dispatches that were made.", %i[dispatches made]],
        "dispatches_by_caller_total" => ["counter", "Dispatches that the caller ran itself.", %i[dispatches by_caller]],
        "dispatches_cancelled_total" => ["counter", "Dispatches that were cancelled.", %i[dispatches cancelled]],
        "dispatches_expired_total" => ["counter", "Dispatches whose time was up.", %i[dispatches expired]],
        "dispatches_rejected_total" => ["counter", "Dispatches refused for a full queue.", %i[dispatches rejected]],
        "dispatches_queued" => ["gauge", "Dispatches that wait in the queue.", %i[dispatches queued]],
        "items_total" => ["counter", "Items that were accepted.", %i[items accepted]],
        "items_finished_total" => ["counter", "Items with a result or a Failure.", %i[items finished]],
        "items_dropped_total" => ["counter", "Items that were dropped: they have no result.", %i[items dropped]],
        "items_in_flight" => ["gauge", "Items without a result.", %i[items in_flight]],
        "workers" => ["gauge", "Workers that are alive.", %i[workers alive]],
        "workers_busy" => ["gauge", "Workers that are running items.", %i[workers busy]],
        "busy_seconds_total" => ["counter", "Time that workers ran items.", %i[workers busy_seconds_total]],
        "respawns_total" => ["counter", "Workers that died and were replaced.", %i[workers respawns]],
        "pauses_total" => ["counter", "Replacements that were put off in a crash loop.", %i[workers pauses]],
        "abandoned_total" => ["counter", "Workers that could not be interrupted and were given up.",
                              %i[workers abandoned]],
        "items_overdue_total" => ["counter", "Items that ran longer than item_timeout.", %i[workers overdue]],
        "retries_total" => ["counter", "Items that were run again after the death of their worker.",
                            %i[workers retries]],
        "fallback_items_total" => ["counter", "Items that failed in a Ractor and were run again outside (fallback:).",
                                   %i[fallbacks items]],
        "fallback_dispatches_total" => ["counter", "Dispatches that went past the Ractors at once (fallback:).",
                                        %i[fallbacks dispatches]],
        "events_dropped_total" => ["counter", "Events that a slow subscriber lost.", %i[events_dropped]]
      }.each_value { |metric| metric.each(&:freeze).freeze }.freeze

      # Metrics of dispatches with a name (`as:`). The name is in the label `as`.
      NAMED = {
        "named_dispatches_total" => ["Dispatches by their name (as:).", :dispatches],
        "named_by_caller_total" => ["Dispatches that the caller ran itself, by their name.", :by_caller],
        "named_items_total" => ["Items with a result or a Failure, by the name of their dispatch.", :items],
        "named_failures_total" => ["Failures by the name of their dispatch.", :failures],
        "named_seconds_total" => ["Time from dispatches to their last results, by their name.", :seconds]
      }.each_value(&:freeze).freeze
      private_constant :NAMED

      # @param stats [Array<Hash>] {Pool#stats} of each pool. Pools with equal labels get a label `number` too, because
      #   Prometheus refuses two samples with the same labels.
      def initialize(*stats)
        same = stats.group_by { |pool| labels(pool) }
        @pools = same.flat_map do |labels, pools|
          next [[labels, pools.first]] if pools.size == 1

          pools.each_with_index.map { |pool, place| ["#{labels},number=\"#{place + 1}\"", pool] }
        end
      end

      # @return [String]
      def to_s
        lines = METRICS.flat_map do |name, (type, help, path)|
          head(name, type, help) + @pools.map { |labels, stats| sample(labels, name, stats.dig(*path)) }
        end
        "#{(lines + failures + named + latency).join("\n")}\n"
      end

      private

      def labels(stats)
        "pool=\"#{escape(stats[:name])}\",backend=\"#{stats[:backend]}\""
      end

      def failures
        name = "failures_total"
        head(name, "counter", "Failures by the class of their exception.") + @pools.flat_map do |labels, stats|
          stats[:failures].sort.map { |kind, count| sample(labels, name, count, "class=\"#{escape(kind)}\"") }
        end
      end

      def latency
        name = "dispatch_seconds"
        head(name, "histogram", "Time from a dispatch to its last result.") +
          @pools.flat_map { |labels, stats| histogram(labels, name, stats[:latency]) }
      end

      # No lines, if no dispatch has a name.
      def named
        return [] if @pools.all? { |_labels, stats| stats[:names].empty? }

        NAMED.flat_map do |metric, (help, what)|
          head(metric, "counter", help) + @pools.flat_map do |labels, stats|
            stats[:names].map { |name, counts| sample(labels, metric, counts[what], "as=\"#{escape(name)}\"") }
          end
        end
      end

      # The buckets of Prometheus are cumulative: each counts also what is in those below it.
      def histogram(labels, name, latency)
        sum = 0
        buckets = latency[:buckets].map do |bound, count|
          sample(labels, "#{name}_bucket", sum += count, "le=\"#{bound.infinite? ? "+Inf" : bound}\"")
        end
        buckets << sample(labels, "#{name}_sum", latency[:seconds]) << sample(labels, "#{name}_count", latency[:count])
      end

      def head(name, type, help)
        ["# HELP #{PREFIX}#{name} #{help}", "# TYPE #{PREFIX}#{name} #{type}"]
      end

      def sample(labels, name, value, label = nil)
        "#{PREFIX}#{name}{#{[labels, label].compact.join(",")}} #{value}"
      end

      def escape(text)
        Settings.text(text).gsub(/[\\"\n]/) { |char| char == "\n" ? "\\n" : "\\#{char}" }
      end
    end
  end
end
