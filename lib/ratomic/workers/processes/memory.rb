# frozen_string_literal: true

module Ratomic
  module Workers
    module Processes
      # How much memory a process has for its own.
      module Memory
        PATH = "/proc/self/smaps_rollup"
        private_constant :PATH

        # @return [Integer, nil] bytes that it shares with no other process; nil where the system does not tell
        def self.own
          File.foreach(PATH).sum { |line| line.start_with?("Private_") ? line[/\d+/].to_i * 1024 : 0 }
        rescue SystemCallError
          nil
        end
      end
    end
  end
end
