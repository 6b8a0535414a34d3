# frozen_string_literal: true

module Ratomic
  module Workers
    module Processes
      # The ends of sockets that this process has to its worker processes, or, in one of these, to its parent. Whatever
      # else is forked from here must not keep them open: nobody would see the end of a process.
      module SocketRegistry
        OPEN = {}.compare_by_identity
        private_constant :OPEN

        class << self
          def add(*ends)
            ends.each { |socket| OPEN[socket] = true }
          end

          # @return [void]
          def close(*ends)
            ends.each do |socket|
              OPEN.delete(socket)
              socket.close
            end
          end

          # In a forked child, of whatever kind.
          # @param kept [Array<UNIXSocket>]
          # @return [void]
          def forget(kept)
            OPEN.keys.each { |socket| close(socket) unless kept.include?(socket) }
          end
        end
      end
    end
  end
end
