# frozen_string_literal: true

module Ratomic
  module Workers
    # One chunk run in a thread of its own while the caller waits for it and keeps its deadlines.
    class Turn
      # Never interrupted: what interrupts the waiting caller is not an item's doing.
      module Guard
        def self.pending_interrupt?
          false
        end
      end

      # Seconds that an interrupted item gets to end before its thread is left alone.
      PATIENCE = 0.2

      # @param engine [Engine]
      # @param chunk [Chunk]
      def initialize(engine, chunk)
        @engine = engine
        @chunk = chunk
        @batch = chunk.batch
        @pulse = Pulse.new(0)
        @gate = Thread::Mutex.new
      end

      # @return [Array<Batch>] what is left when an item has ended the thread
      def run
        thread = start
        keep_time(thread) until thread.join(seconds_left)
        return Salvage.new(@engine, @chunk).run(:thread) unless thread.value == :done

        @engine.file_chunk(@chunk)
        []
      ensure
        thread&.kill
      end

      private

      def start
        Thread.new do
          Thread.current.report_on_exception = false
          Context.with(@batch.options.context) do
            @chunk.careful? ? @chunk.run_watched(Guard, @pulse, @gate) : @chunk.run(Guard)
          end
          :done
        end
      end

      # @return [Float, nil] until the next deadline
      def seconds_left
        at = [expiry, item_limit].compact.min
        at && [at - Agenda.now, 0.001].max
      end

      def expiry
        @batch.options.timeout && ((@batch.born / 1e9) + @batch.options.timeout)
      end

      # An item that begins now cannot be overdue before its time.
      def item_limit
        return unless (limit = @batch.options.item_timeout)

        (@pulse.index ? @pulse.since : Agenda.now) + limit
      end

      def keep_time(thread)
        return expire(thread) if expiry && Agenda.now >= expiry
        return unless @batch.options.item_timeout

        @gate.synchronize do
          next unless (index = @pulse.index) && Agenda.now >= item_limit

          @engine.time_out(@batch, index)
          end_it(thread)
        end
      end

      def expire(thread)
        @engine.expire(@batch)
        end_it(thread)
      end

      # A native call that cannot be interrupted is left behind; its result, if it comes, is not wanted any more.
      def end_it(thread)
        thread.kill
      end
    end
  end
end
