# frozen_string_literal: true

module Ratomic
  module Workers
    module Backend
      # Workers as Ractors: they run Ruby in parallel.
      module Ractors
        class << self
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

          # Ruby tells a Ractor's end only where it is asked for, and one that has ended refuses to be asked.
          def alive?(ractor)
            port = Ractor::Port.new
            ractor.monitor(port) && ractor.unmonitor(port) && true
          ensure
            port.close
          end
        end
      end
    end
  end
end
