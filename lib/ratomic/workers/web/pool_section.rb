# frozen_string_literal: true

module Ratomic
  module Workers
    class Web
      # The part of the page that shows one pool.
      class PoolSection
        include Html
        include Figures

        # The folder of this library's files, to find its lines in a backtrace.
        OWN = "#{File.expand_path("..", __dir__)}/".freeze
        private_constant :OWN

        # @param pool [Hash] of {Snapshot#to_h}
        # @param root [String] see {Page}
        # @param actions [Boolean] see {Page}
        def initialize(pool, root, actions)
          @pool = pool
          @root = root
          @actions = actions
        end

        # @return [Html::Markup]
        def to_html
          tag(:section, title, notes, figures, charts, workers, tables, failures, id: "pool-#{@pool[:number]}")
        end

        private

        def title
          words = "#{@pool[:size]} #{@pool[:backend]} workers, #{@pool[:state]}"
          links = (%w[shutdown kill].map { |name| [" ", action(name, name)] } if @actions)
          tag(:h2, @pool[:name], " ", tag(:small, words, links))
        end

        def action(name, text, **more)
          query = URI.encode_www_form({ action: name, pool: @pool[:number], **more })
          tag(:a, text, href: "#{@root}/confirm?#{query}", class: "action")
        end

        def notes
          troubles = @pool[:troubles][:last].map { |what, place| "trouble in the pool: #{what} (#{place})" }
          told = @pool[:notes] + troubles
          told << "#{@pool[:events_dropped]} events were lost by slow subscribers" if @pool[:events_dropped].positive?
          tag(:ul, told.map { |note| tag(:li, note) }, class: "notes") unless told.empty?
        end

        def figures
          told = { **of_dispatches, **of_latency, **of_workers, **troubled }
          tag(:dl, told.map { |name, value| tag(:div, tag(:dt, name), tag(:dd, value)) }, class: "figures")
        end

        def of_dispatches
          dispatches = @pool[:dispatches]
          items = @pool[:items]
          { "queued" => "#{count(dispatches[:queued])} of #{count(@pool[:max_queue])}",
            "items in flight" => count(items[:in_flight]), "items done" => count(items[:finished]),
            "dispatches" => count(dispatches[:made]), "by callers" => count(dispatches[:by_caller]) }
        end

        def of_latency
          { "latency, mean" => time(@pool[:latency][:mean]), "95% below" => time(@pool[:latency][:p95]) }
        end

        def of_workers
          workers = @pool[:workers]
          { "busy workers" => "#{workers[:busy]} of #{workers[:alive]}",
            "failures" => count(@pool[:failures].values.sum) }
        end

        # Counts that are shown only when they are not zero.
        def troubled
          counts = { **@pool[:dispatches].slice(:cancelled, :expired, :rejected),
                     **@pool[:workers].slice(:overdue, :retries, :respawns, :abandoned) }
          counts.select { |_, number| number.positive? }.transform_values { |number| count(number) }
        end

        def charts
          points = @pool[:history]
          return tag(:p, "The charts begin with the first look at this page.", class: "quiet") if points.empty?

          join(tag(:h3, "The last #{minutes == 1 ? "minute" : "#{minutes} minutes"}"), four_charts)
        end

        def minutes
          [(@pool[:history][0][:age] / 60).ceil, 1].max
        end

        def four_charts
          tag(:div, chart("items in a second", :items) { |value| count(value) },
              chart("latency, mean", :mean) { |value| time(value) },
              chart("workers busy", :busy) { |value| Figures.percent(value) },
              chart("failures in a second", :failures) { |value| count(value) }, class: "charts")
        end

        def chart(name, what, &show)
          Chart.new(name, @pool[:history].map { |point| [point[:age], point[what]] }, minutes * 60, &show).to_html
        end

        def workers
          rows = @pool[:running].map do |running|
            who = running[:worker] || "beside them"
            next [who, "waits", nil, nil, time(running[:busy_seconds]), nil] unless running[:dispatch]

            cancel = [" ", action("cancel", "cancel", dispatch: running[:dispatch])] if @actions
            [who, join(running[:callable], item(running)), duration(running),
             join("#{count(running[:completed])} of #{count(running[:items])}", cancel), time(running[:busy_seconds]),
             running[:context]]
          end
          table("Workers", ["worker", "runs", "for", "items done", "busy, all in all", "context"], rows)
        end

        def item(running)
          running[:item] ? " (item #{running[:item]})" : ""
        end

        # Workers note only the start of long chunks. For a short one the age of its dispatch is shown.
        def duration(running)
          dispatched = "dispatched #{time(running[:dispatch_seconds])} ago"
          running[:seconds] ? join(time(running[:seconds]), tag(:small, " ", dispatched)) : tag(:small, dispatched)
        end

        def tables
          join(callables, table("Names", NameRows::HEADS, NameRows.new(@pool[:names]).to_a))
        end

        def callables
          rows = @pool[:callables].map do |callable|
            [callable[:name], time(callable[:item_seconds]), chunk(callable[:chunk]),
             join(runs_small(callable[:by_caller]), tag(:small, " ", callable[:reason]))]
          end
          table("Callables", ["callable", "a small item", "items in a chunk", "small dispatches are run by"], rows)
        end

        def runs_small(items)
          case items
          when 0 then "the pool"
          when 1 then "the caller, one item"
          else "the caller, up to #{count(items)} items"
          end
        end

        def chunk(range)
          range.uniq.map { |number| count(number) }.join(" to ")
        end

        def failures
          return if @pool[:failures].empty?

          shown = @pool[:failures].sort_by { |_, number| -number }.map do |name, number|
            notes = @pool[:last_failures].fetch(name, [])
            tag(:details, tag(:summary, tag(:b, name), " #{count(number)} times"), notes.map { |note| failure(note) },
                id: "failures-#{@pool[:number]}-#{name}")
          end
          join(tag(:h3, "Failures"), shown)
        end

        def failure(note)
          at = Time.at(note[:time]).utc.strftime("%Y-%m-%d %H:%M:%S UTC")
          where = "#{at}, #{note[:callable]}, item #{note[:index] || "?"} of " \
                  "#{note[:dispatch] ? "dispatch #{note[:dispatch]}" : "what a caller ran"}"
          tag(:article, tag(:p, where, class: "quiet"), account(note),
              (tag(:p, "What to do: ", note[:remedy]) if note[:remedy]),
              (tag(:p, "Context: ", tag(:code, note[:context])) if note[:context]))
        end

        def account(note)
          cause = note[:cause]
          join(tag(:p, "#{note[:exception_class]}: #{note[:message]}", class: "message"),
               backtrace(note[:backtrace]),
               (tag(:div, "caused by", account(cause), class: "cause") if cause))
        end

        # Shows the lines from the item's code down to the first line of this library. The lines below it are the same
        # in every backtrace.
        def backtrace(lines)
          return if lines.empty?

          own = lines.index { |line| line.start_with?(OWN) } || lines.size
          shown = own.zero? ? lines : lines.first(own)
          shown += ["... #{lines.size - own} lines of ratomic and of its caller"] if shown.size < lines.size
          tag(:pre, shown.join("\n"))
        end

        def table(title, names, rows)
          return if rows.empty?

          head = tag(:tr, names.map { |name| tag(:th, name, scope: "col") })
          body = rows.map do |row|
            tag(:tr, row.zip(names).map do |cell, name|
                       tag(:td, cell && tag(:div, cell), data_name: name)
                     end)
          end
          join(tag(:h3, title), tag(:table, tag(:thead, head), tag(:tbody, body)))
        end
      end
    end
  end
end
