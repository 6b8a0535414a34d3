# frozen_string_literal: true

require_relative "workload"

module Cdc
  # Lets a workload run on a server while its stream is read through pg_recvlogical.
  module Capture
    CHUNK = 1 << 16

    # Returns when all that the workload did has been read.
    #
    # @param cluster [Cluster]
    # @param workload [Workload] prepared
    # @param intake [Intake]
    # @param copy [String, nil] gets the bytes too
    # @param slot [String]
    # @param options [Hash{String => String}] of the plugin
    # @yieldparam event as {Intake#feed} yields it
    # @raise [Cluster::Failed] if the workload or pg_recvlogical fails
    def self.run(cluster, workload, intake, copy: nil, slot: Workload::SLOT, options: Workload::PLUGIN_OPTIONS, &block)
      cluster.replicate(slot, options) do |io|
        working = start(workload, io)
        read(io, workload, intake, copy, &block)
        working.join
      rescue IOError
        working.join if io.closed? || !working.alive? # raises what made it stop
        raise Cluster::Failed, "pg_recvlogical ended at byte #{intake.bytes}, before the workload did: " \
                               "#{cluster.last_words}"
      ensure
        working&.kill
      end
      intake.finish { |event| yield event }
    end

    def self.read(io, workload, intake, copy)
      over = false
      until over
        chunk = io.readpartial(CHUNK)
        copy << chunk if copy
        intake.feed(chunk) do |event|
          over ||= workload.over?(event)
          yield event
        end
      end
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
    private_class_method :read, :start
  end
end
