# frozen_string_literal: true

require "uri"
require_relative "../../ratomic"

module Ratomic
  module Workers
    # A live page about the pools of this process: a Rack application (Rack 2 and 3) that needs no other gem.
    #
    #   require "ratomic/workers/web"
    #
    #   mount Ratomic::Workers::Web, at: "/workers"                  # Rails' routes
    #   use Rack::URLMap, "/workers" => Ratomic::Workers::Web        # Sinatra
    #   run Ratomic::Workers::Web.new(title: "Importer")             # config.ru
    #
    # The page shows exception messages, backtraces and the contexts of dispatches. So mount it behind the application's
    # own authentication. It only reads, unless it was made with a `token:`. It shows the pools of the process that
    # answers the request. If a server forks several processes, each of them has pools of its own.
    #
    # `GET /` is the page, `/stats.json` the same as data. Both read counters; no worker is asked.
    class Web
      # The browser loads nothing from other sites, and runs no script that is written inside the page.
      POLICY = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; " \
               "form-action 'self'; frame-ancestors 'none'"
      HEADERS = {
        "content-security-policy" => POLICY, "x-content-type-options" => "nosniff", "x-frame-options" => "DENY",
        "referrer-policy" => "no-referrer", "cache-control" => "no-store"
      }.freeze
      # The rest of a longer form is not read.
      MAX_FORM_BYTES = 8192
      FOLDER = File.expand_path("web", __dir__)
      private_constant :FOLDER

      # Answers a request with the default title and without actions, so that the class itself is a Rack application.
      # @param env [Hash] Rack's environment
      # @return [Array(Integer, Hash, Array)]
      def self.call(env)
        (@default ||= new).call(env)
      end

      # @param title [String]
      # @param token [String, nil] a secret of 16 characters or more. A user types it to cancel a dispatch, or to shut
      #   down or kill a pool. With nil the page has no such actions.
      def initialize(title: "Workers", token: nil)
        @title = title
        @actions = token && Actions.new(token)
        @files = { "/style.css" => ["text/css", read("style.css")], "/live.js" => ["text/javascript", read("live.js")] }
      end

      # @param env [Hash] Rack's environment
      # @return [Array(Integer, Hash, Array)] status, headers and body
      def call(env)
        status, type, text = answer(env)
        headers = { **HEADERS, "content-type" => "#{type}; charset=utf-8", "content-length" => text.bytesize.to_s }
        headers["allow"] = "GET, HEAD" if status == 405
        [status, headers, env["REQUEST_METHOD"] == "HEAD" ? [] : [text]]
      end

      # Short, because `rails routes` prints it for a page that is mounted; and without what is known of the token.
      # @return [String]
      def inspect
        "#<#{self.class} #{@title}#{" with actions" if @actions}>"
      end

      private

      def read(name)
        File.read(File.join(FOLDER, name), encoding: "UTF-8").freeze
      end

      def answer(env)
        path = env["PATH_INFO"].to_s
        return act(env) if path == "/act" && @actions
        return plain(405, "Only GET is answered here.") unless %w[GET HEAD].include?(env["REQUEST_METHOD"])

        page = Page.new(@title, root = env["SCRIPT_NAME"].to_s.chomp("/"), !@actions.nil?)
        case path
        when "", "/" then html(page.document(page.content(snapshot.to_h), live: true))
        when "/live" then html(page.content(snapshot.to_h).to_s)
        when "/stats.json" then [200, "application/json", snapshot.to_json]
        when "/confirm" then confirm(env, page, root)
        else file(path)
        end
      end

      def snapshot
        Snapshot.new(History.current)
      end

      def html(text, status = 200)
        [status, "text/html", text]
      end

      def plain(status, text)
        [status, "text/plain", "#{text}\n"]
      end

      def file(path)
        type, text = @files[path]
        text ? [200, type, text] : plain(404, "There is nothing here.")
      end

      def confirm(env, page, root)
        text = @actions&.confirmation(form(env["QUERY_STRING"].to_s), page, root)
        text ? html(text) : plain(404, "There is nothing here.")
      end

      def act(env)
        return plain(405, "This is done with a form.") unless env["REQUEST_METHOD"] == "POST"
        return plain(403, "This form is not of this page.") if foreign?(env)

        status, words = @actions.perform(form(env["rack.input"]&.read(MAX_FORM_BYTES).to_s))
        root = env["SCRIPT_NAME"].to_s.chomp("/")
        back = Html.tag(:p, Html.tag(:a, "Back to the page", href: "#{root}/"))
        html(Page.new(@title, root, true).document(Html.join(Html.tag(:p, words), back)), status)
      end

      # Whether a page of another site has sent the form (cross-site request forgery).
      def foreign?(env)
        site = env["HTTP_SEC_FETCH_SITE"]
        return !%w[same-origin none].include?(site) if site

        origin = env["HTTP_ORIGIN"]
        !origin.nil? && origin.sub(%r{\A[a-z]+://}, "") != env["HTTP_HOST"]
      end

      def form(text)
        URI.decode_www_form(text.dup.force_encoding(Encoding::UTF_8).scrub).to_h
      rescue ArgumentError # the text is not an encoded form
        {}
      end
    end
  end
end

%w[html chart name_rows pool_section page actions].each { |name| require_relative "web/#{name}" }
