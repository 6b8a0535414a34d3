# frozen_string_literal: true

module Ratomic
  module Workers
    module Processes
      # The sockets of this process to its worker processes or, in a worker process, to its parent. Any other child that
      # is forked has to close them. A socket that is open in another process does not report the end of its peer.
      module SocketRegistry
        OPEN = {}.compare_by_identity
        private_constant :OPEN

        class << self
          def add(*ends)
            ends.each { |socket| OPEN[socket] = true }
          end

          # Another thread may fork at any moment. So a socket is removed after it is closed.
          # @return [void]
          def close(*ends)
            ends.each do |socket|
              socket.close
              OPEN.delete(socket)
            end
          end

          # Called in every forked child: closes the sockets.
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
