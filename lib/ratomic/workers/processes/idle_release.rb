# frozen_string_literal: true

module Ratomic
  module Workers
    module Processes
      # Has a worker process that is idle give memory back: the garbage of its last requests, and pages of the allocator
      # that nothing is in. This is done once after work, when no request has come for a second. An idle process is not
      # woken again.
      class IdleRelease
        # Seconds without a request.
        IDLE_S = 1.0

        def initialize
          @collections = GC.count
        end

        # Waits for the next request, and gives memory back if there is none for so long. It looks at the socket only if
        # there were collections since the last time: where little was allocated, little would be given back, and a
        # small request would take longer.
        # @param socket [IO]
        # @return [void]
        def await(socket)
          return if GC.count == @collections || socket.wait_readable(IDLE_S)

          # Where each Ractor has a heap, a collection costs memory, see {AllocationBudget}.
          GC.start(full_mark: false) if AllocationBudget::USEFUL && GcState.enabled?
          Memory.trim
          @collections = GC.count
        end
      end
    end
  end
end
