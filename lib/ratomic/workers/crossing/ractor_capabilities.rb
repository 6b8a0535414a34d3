# frozen_string_literal: true

require "singleton"

module Ratomic
  module Workers
    # Finds out what this Ruby allows in a Ractor, because that changes from one Ruby to the next. Each operation is
    # tried once, in a small Ractor of its own.
    module RactorCapabilities
      ANSWERS = Map.new
      private_constant :ANSWERS

      # The operations. Each method is one, and its name is the question.
      module Try
        @@variable = 1 # rubocop:disable Style/ClassVars -- what is asked about

        class << self
          def read_class_variable
            @@variable
          end

          def write_class_variable
            @@variable = 1 # rubocop:disable Style/ClassVars
          end

          def json_load
            JSON.load("null") # rubocop:disable Security/JSONLoad
          end

          def json_dump
            JSON.dump(nil)
          end

          def unicode_normalize
            "\u00e9".unicode_normalize
          end

          def singleton
            Only.instance
          end

          def option_parser
            OptionParser.new
          end

          def weak_ref
            WeakRef.new(Object.new)
          end

          def gem_version
            Gem::Version.new("1")
          end

          def erb_result
            ERB.new("").result
          end

          def erb_hash
            ERB.new("").result_with_hash({})
          end

          def ripper
            Ripper.sexp("1")
          end

          def etc
            Etc.getpwuid
          end

          def at_exit
            Kernel.at_exit { nil }
          end
        end

        # A class with `include Singleton`.
        class Only
          include Singleton
        end
      end

      class << self
        # @param question [Symbol] a method of {Try}
        # @return [Boolean] whether a Ractor may do it; on a Ruby without Ractors always true
        def allowed?(question)
          return true unless RACTORS

          ANSWERS.fetch_or_store(question) { ask(question) }
        end

        # Whether the callable's method may be called in another Ractor. A method that `define_method` has made of a
        # proc may not, unless the proc is shareable. To find out, the method is called with a wrong number of
        # arguments, so that its code does not run.
        # @param callable [Object] shareable
        # @param method [Method] of it
        # @return [Boolean] true also if it cannot be found out
        def callable?(callable, method)
          return true unless RACTORS && Ractor.shareable?(callable) && (count = wrong_count(method))

          elsewhere(callable, method.name, count) do |object, name, number|
            object.__send__(name, *Array.new(number))
          end != RuntimeError
        end

        private

        def ask(question)
          error = elsewhere(question) { |name| Try.public_send(name) }
          !error || !(error <= Ractor::Error)
        end

        # @return [Class, nil] of what the block raises in a Ractor
        def elsewhere(*arguments, &block)
          work = Ractor.shareable_proc(self: nil, &block)
          Experimental.quietly do
            Ractor.new(work, arguments.freeze) do |asked, given|
              Thread.current.report_on_exception = false
              asked.call(*given)
              nil
            rescue Exception => e # rubocop:disable Lint/RescueException -- that is the answer
              e.class
            end
          end.value
        end

        # @return [Integer, nil] a number of arguments that the method does not take; nil if it takes any number
        def wrong_count(method)
          kinds = method.parameters.map(&:first)
          return kinds.count { |kind| %i[req opt].include?(kind) } + 1 unless kinds.include?(:rest)

          0 if kinds.include?(:req)
        end
      end
    end
  end
end
