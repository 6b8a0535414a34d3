# frozen_string_literal: true

require_relative "defaults"

module Ratomic
  module Workers
    module Backend
      # Workers as Ractors: they run Ruby in parallel.
      module Ractors
        extend Defaults

        # Ractors that run at a time when RUBY_MAX_CPU does not say otherwise.
        RUNNING_AT_ONCE = HEAP_PER_RACTOR ? Etc.nprocessors : 8

        class << self
          def to_sym
            :ractor
          end

          def unavailable
            "needs Ruby 4.0 or newer; leave it out, or take :thread" unless RACTORS
          end

          # @raise [NotImplementedError] in another Ractor than the main one, with a fallback: that runs items in the
          #   main one
          def start(settings, &known)
            if settings.falls_back? && !Ractor.main?
              raise NotImplementedError, "fallback: #{settings.fallback.inspect}: start the pool #{settings.name} in " \
                                         "the main Ractor (Pool#start), where it is to run what fails in others"
            end
            super
          end

          # @return [Ractor]
          def spawn(engine, worker_status, parts)
            ractor = Experimental.quietly do
              Ractor.new(engine, worker_status, parts,
                         name: "ratomic-#{engine.name}-#{worker_status.id}") do |*all, left|
                Worker.new(*all).run(left)
              end
            end
            ractor.monitor(engine.mailbox)
            ractor
          end

          # Ruby reports the end of a Ractor only to a port that monitors it, and refuses to monitor one that has ended.
          def alive?(ractor)
            port = Ractor::Port.new
            ractor.monitor(port) && ractor.unmonitor(port) && true
          ensure
            Mailbox.close(port) # in which the report may be
          end

          def shared_memory?
            false
          end

          def free_results?
            true
          end

          def reserve?
            true
          end

          def fallback?
            true
          end

          def covered?
            false
          end

          def parallel(size)
            [size, Etc.nprocessors].min
          end

          # Reads RUBY_MAX_CPU as Ruby does: a value that is not a positive number is ignored. RUBY_MN_THREADS=-1 gives
          # each Ractor a native thread of its own, on Rubies that support it.
          # @return [Integer, Float] Ractors that Ruby runs at a time
          def at_once(environment = ENV)
            return Float::INFINITY if HEAP_PER_RACTOR && environment["RUBY_MN_THREADS"].to_i.negative?

            asked = environment["RUBY_MAX_CPU"].to_i
            asked.positive? ? asked : RUNNING_AT_ONCE
          end

          def handover_cost_ns
            Share::HANDOVER_COST_NS
          end

          def way_home; end

          def new_mailbox
            Mailbox.open
          end

          def admit(callable, _home)
            Callable.check(callable)
          end

          def any_block?
            false
          end

          def findings(callable)
            Callable.call?(callable) ? IsolationLint.findings(callable) : []
          end
        end
      end
    end
  end
end
