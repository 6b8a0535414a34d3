# frozen_string_literal: true

module Cdc
  # Lets a workload run on a server while its stream is read through pg_recvlogical.
  module Capture
    CHUNK = 1 << 16

    # Returns when all that the workload did has been read.
    #
    # @param cluster [Cluster]
    # @param workload [Workload] prepared
    # @param intake [Intake]
    # @yieldparam items [Array<Message>] the row changes and truncates that just came in
    # @yieldparam chunk [String] the bytes that just came in
    # @raise [Cluster::Failed] if the workload or pg_recvlogical fails
    def self.run(cluster, workload, intake)
      cluster.replicate(Workload::SLOT, Workload::PLUGIN_OPTIONS) do |io|
        working = start(workload, io)
        until workload.over?(intake)
          chunk = io.readpartial(CHUNK)
          yield intake.feed(chunk), chunk
        end
        working.join
      rescue IOError
        working.join unless working.alive? # raises what made it stop
        raise Cluster::Failed, "pg_recvlogical ended at byte #{intake.bytes}, before the workload did"
      ensure
        working&.kill
      end
      intake.finish
    end

    # A workload that fails ends the reading too, which would wait for ever otherwise.
    def self.start(workload, io)
      Thread.new do
        Thread.current.report_on_exception = false
        workload.run
      rescue StandardError
        io.close
        raise
      end
    end
    private_class_method :start
  end
end
