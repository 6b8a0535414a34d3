# frozen_string_literal: true

module Ratomic
  module Workers
    module Processes
      # The memory that a process shares with no other process. `trim`, which is native, gives back to the system what
      # the allocator (glibc's) has left over.
      module Memory
        PATH = "/proc/self/smaps_rollup"
        private_constant :PATH

        # @return [Integer, nil] bytes; nil if the system does not report it
        def self.own
          File.foreach(PATH).sum { |line| line.start_with?("Private_") ? line[/\d+/].to_i * 1024 : 0 }
        rescue SystemCallError
          nil
        end
      end
    end
  end
end
