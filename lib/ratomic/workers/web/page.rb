# frozen_string_literal: true

module Ratomic
  module Workers
    class Web
      # The HTML page that shows a {Snapshot}.
      class Page
        include Html

        # @param title [String]
        # @param root [String] path under which the application is mounted
        # @param actions [Boolean] whether there are links to actions
        def initialize(title, root, actions)
          @title = title
          @root = root
          @actions = actions
        end

        # @param body [Html::Markup]
        # @param live [Boolean] whether the page updates itself
        # @return [String]
        def document(body, live: false)
          head = tag(:head,
                     tag(:meta, charset: "utf-8"),
                     tag(:meta, name: "viewport", content: "width=device-width, initial-scale=1"),
                     tag(:meta, name: "color-scheme", content: "light dark"),
                     tag(:title, @title),
                     tag(:link, rel: "stylesheet", href: "#{@root}/style.css"),
                     live ? renewal : nil)
          "<!DOCTYPE html>\n#{tag(:html, head, tag(:body, tag(:main, body, id: "live")), lang: "en")}"
        end

        # @param snapshot [Hash] see {Snapshot#to_h}
        # @return [Html::Markup]
        def content(snapshot)
          pools = snapshot[:pools]
          head = tag(:header, tag(:h1, @title), tag(:p, process(snapshot), class: "quiet"))
          return join(head, tag(:p, "No pool has workers in this process now.")) if pools.empty?

          join(head, pools.map { |pool| PoolSection.new(pool, @root, @actions).to_html })
        end

        private

        # With JavaScript the browser fetches only the part that changes. Without it, it loads the whole page again.
        def renewal
          join(tag(:script, "", src: "#{@root}/live.js", defer: true, data_from: "#{@root}/live"),
               tag(:noscript, tag(:meta, http_equiv: "refresh", content: "5")))
        end

        def process(snapshot)
          at = Time.at(snapshot[:time]).utc.strftime("%Y-%m-%d %H:%M:%S UTC")
          "#{snapshot[:program]}, process #{snapshot[:pid]}, #{snapshot[:ruby]}, ratomic #{snapshot[:ratomic]}, " \
            "#{snapshot[:processors]} processors, #{at}"
        end
      end
    end
  end
end
