# frozen_string_literal: true

module Ratomic
  module Workers
    class Top
      # What `ratomic top` writes, as lines of plain text. Control characters in what other processes say are replaced,
      # so that they cannot control the terminal.
      class Screen
        include Figures

        # @param answers [Hash{String => Hash, String}] path => what was said, or what went wrong
        # @param before [Hash, nil] the answers of the last look, for rates
        # @param columns [Integer, nil] of the terminal; nil for lines of any length
        def initialize(answers, before, columns)
          @answers = answers
          @before = before || {}
          @columns = columns
        end

        # @return [Array<String>]
        def lines
          return ["no sockets"] if @answers.empty?

          lines = @answers.flat_map { |path, answer| of_process(path, answer, @before[path]) }
          lines.map { |line| fit(line.gsub(/[^[:print:]]/, "?")) }
        end

        private

        def fit(line)
          @columns ? line[0, @columns - 1] : line
        end

        def of_process(path, answer, before)
          return ["#{path}: #{answer}", ""] if answer.is_a?(String)

          head = "#{answer[:program]}  pid #{answer[:pid]}  #{answer[:ruby]}  ratomic #{answer[:ratomic]}"
          return [head, "  no pool has workers", ""] if answer[:pools].empty?

          [head, *answer[:pools].flat_map { |pool| of_pool(pool, rates(answer, before, pool[:number])) }, ""]
        end

        # Rates from the difference to the last look.
        # @return [Hash, nil] nil if the same process and pool were not there then
        def rates(answer, before, number)
          earlier = before.is_a?(Hash) && before[:pid] == answer[:pid] &&
                    before[:pools].find { |pool| pool[:number] == number }
          seconds = earlier ? answer[:time] - before[:time] : 0
          return unless seconds.positive?

          pool = answer[:pools].find { |each| each[:number] == number }
          { items: (pool[:items][:finished] - earlier[:items][:finished]) / seconds,
            dispatches: (pool[:dispatches][:completed] - earlier[:dispatches][:completed]) / seconds }
        end

        def of_pool(pool, rates)
          ["", "  #{pool[:name]}  #{pool[:size]} #{pool[:backend]} workers, #{pool[:state]}",
           "    #{work(pool, rates)}", "    #{latency(pool)}",
           *table(pool[:running].map { |running| of_worker(running) }),
           *failures(pool), *pool[:notes].map { |note| "    note: #{note}" }]
        end

        def work(pool, rates)
          rates ||= pool[:history].last
          told = "queued #{count(pool[:dispatches][:queued])}, in flight #{count(pool[:items][:in_flight])} items, " \
                 "done #{count(pool[:items][:finished])}, busy #{pool[:workers][:busy]} of #{pool[:workers][:alive]}"
          rates ? "#{count(rates[:items].to_f)} items/s, #{count(rates[:dispatches].to_f)} dispatches/s, #{told}" : told
        end

        def latency(pool)
          latency = pool[:latency]
          "latency: mean #{time(latency[:mean])}, 50% below #{time(latency[:p50])}, 95% #{time(latency[:p95])}, " \
            "99% #{time(latency[:p99])}"
        end

        def of_worker(running)
          who = running[:worker] || "beside"
          return [who, "waits", "", "", ""] unless running[:dispatch]

          seconds = running[:seconds] || running[:dispatch_seconds]
          [who, running[:callable], "#{"< " unless running[:seconds]}#{time(seconds)}",
           "#{count(running[:completed])}/#{count(running[:items])}", running[:context].to_s]
        end

        def table(rows)
          rows = [%w[worker runs for items context], *rows].map { |row| row.map(&:to_s) }
          widths = rows.transpose.map { |column| column.map(&:size).max }
          rows.map { |row| "    #{row.zip(widths).map { |cell, width| cell.ljust(width) }.join("  ").rstrip}" }
        end

        def failures(pool)
          pool[:failures].sort_by { |_, number| -number }.map do |name, number|
            last = pool[:last_failures][name]&.first
            "    failed #{count(number)} times: #{name}#{": #{last[:message].lines(chomp: true)[0]}" if last}"
          end
        end
      end
    end
  end
end
