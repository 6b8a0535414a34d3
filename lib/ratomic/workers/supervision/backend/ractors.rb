# frozen_string_literal: true

module Ratomic
  module Workers
    module Backend
      # Workers as Ractors: they run Ruby in parallel.
      module Ractors
        class << self
          # @return [Ractor]
          def spawn(engine, pulse, parts)
            ractor = quietly do
              Ractor.new(engine, pulse, parts, name: "ratomic-#{engine.name}-#{pulse.id}") do |*all, left|
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

          # The first Ractor of a process makes Ruby warn that Ractors are experimental. Who uses this gem knows.
          def quietly
            return yield unless Ractor.main? && Warning[:experimental]

            begin
              Warning[:experimental] = false
              yield
            ensure
              Warning[:experimental] = true
            end
          end
        end
      end
    end
  end
end
