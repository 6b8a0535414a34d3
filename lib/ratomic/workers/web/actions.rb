# frozen_string_literal: true

require "digest"

module Ratomic
  module Workers
    class Web
      # The actions that a user can start from the page: to cancel a dispatch, and to shut down or kill a pool. The user
      # confirms each on a page of its own, by typing the token. The form of that page is valid for some minutes, and
      # only in the process that made it, because pools are found by a number that is counted in each process.
      class Actions
        include Html

        NAMES = {
          "cancel" => ["Cancel the dispatch", "What has no result becomes a Failure (CancelledError); items that are " \
                                              "running are interrupted."],
          "shutdown" => ["Shut the pool down", "It refuses new dispatches (ShutdownError), finishes what it has, and " \
                                               "ends."],
          "kill" => ["Kill the pool", "What has no result becomes a Failure (ShutdownError); items that are running " \
                                      "are interrupted."]
        }.each_value(&:freeze).freeze
        MIN_TOKEN_LENGTH = 16
        # A form that was shown longer ago is refused.
        FORM_LIFETIME_S = 300
        # After this many wrong tokens within LOCKOUT_S, all forms are refused until the oldest of them is older than
        # that.
        MAX_WRONG_TOKENS = 5
        LOCKOUT_S = 60

        # @param token [String]
        def initialize(token)
          unless token.is_a?(String) && token.size >= MIN_TOKEN_LENGTH
            raise ArgumentError, "token: must be a String of #{MIN_TOKEN_LENGTH} characters or more"
          end

          @digest = Digest::SHA256.digest(token)
          @lock = Thread::Mutex.new
          @wrong = []
        end

        # @param asked [Hash] parameters of the request
        # @param page [Page]
        # @param root [String]
        # @return [String, nil] the page that asks for the token; nil if there is no such action or no such pool
        def confirmation(asked, page, root)
          title, meaning = NAMES[asked["action"]]
          pool, = Pool::RUNNING[asked["pool"].to_i]
          return unless title && pool

          given = { **asked.slice("action", "pool", "dispatch"), "pid" => Process.pid, "at" => Time.now.to_i }
          what = asked["action"] == "cancel" ? " #{asked["dispatch"]} of the pool #{pool.name}" : " #{pool.name}"
          page.document(tag(:form, tag(:h1, title, what), tag(:p, meaning),
                            given.map { |name, value| tag(:input, type: "hidden", name: name, value: value) },
                            tag(:label, "Token ", tag(:input, type: "password", name: "token", required: true,
                                                              autocomplete: "off")),
                            tag(:p, tag(:button, title, type: "submit"), " ", tag(:a, "Back", href: "#{root}/")),
                            method: "post", action: "#{root}/act"))
        end

        # @param given [Hash] fields of the form
        # @return [Array(Integer, String)] HTTP status, and the text for the user
        def perform(given)
          status, words = refusal(given)
          return [status, words] if status

          pool, engine = Pool::RUNNING[given["pool"].to_i]
          return [404, "This pool has ended."] unless pool

          case given["action"]
          when "cancel" then cancel(engine, given["dispatch"].to_i)
          when "shutdown" then done(pool.name, "is shutting down") { pool.shutdown(timeout: 0) }
          when "kill" then done(pool.name, "was killed") { pool.kill }
          else [404, "There is no such action."]
          end
        end

        private

        def refusal(given)
          return [429, "Too many wrong tokens; wait a minute."] if locked_out?
          return [403, "The token is wrong."] unless right?(given["token"].to_s)
          return [409, "This form is of another process (#{given["pid"]}, here is #{Process.pid})."] \
            unless given["pid"].to_i == Process.pid

          [409, "This form is too old."] unless (Time.now.to_i - given["at"].to_i).between?(0, FORM_LIFETIME_S)
        end

        # Compares digests instead of the texts, so that the time of the comparison says nothing about the token.
        def right?(token)
          right = Digest::SHA256.digest(token) == @digest
          Interrupts.synchronize(@lock) { @wrong << Clock.now } unless right
          right
        end

        def locked_out?
          Interrupts.synchronize(@lock) do
            @wrong.reject! { |at| at < Clock.now - LOCKOUT_S }
            @wrong.size >= MAX_WRONG_TOKENS
          end
        end

        # @return [Array(Integer, String)]
        def cancel(engine, ticket)
          batch = engine.board.values.find { |running| running.ticket == ticket }
          return [404, "This dispatch is not running any more."] unless batch

          cancelled = engine.cancel(batch)
          return [404, "This dispatch is done."] if cancelled.zero?

          engine.interrupt(batch)
          [200, "#{cancelled} items of the dispatch #{ticket} were cancelled."]
        end

        def done(name, words)
          yield
          [200, "The pool #{name} #{words}."]
        end
      end
    end
  end
end
