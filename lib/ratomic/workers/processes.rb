# frozen_string_literal: true

require "fcntl"
require "io/nonblock"
require "io/wait"
require "socket"

module Ratomic
  module Workers
    # Worker processes: a pool with `backend: :process` runs its items in them. Each worker is a thread of this process.
    # It sends its chunks to a process of its own (see {Connection}) and waits for the results. So the code that keeps a
    # pool's promises is the same for all backends.
    #
    # @api private
    module Processes
      # settings of a pool => number of a worker => a process that was forked for that worker in advance
      PREPARED = {}.compare_by_identity
      PREPARED_GATE = Thread::Mutex.new
      # Collections that an object survives before it is old.
      COLLECTIONS_UNTIL_OLD = 3
      private_constant :PREPARED, :PREPARED_GATE, :COLLECTIONS_UNTIL_OLD

      @inside = false

      class << self
        # Whether this Ruby or system cannot fork.
        def none?
          !Process.respond_to?(:fork)
        end

        # Whether this process is a worker of a pool.
        def inside?
          (!RACTORS || Ractor.main?) && @inside
        end

        # This process is a worker from now on.
        def inside!
          @inside = true
        end

        # Forks processes for the workers of a pool, from the calling thread.
        # @param settings [Settings]
        # @return [void]
        def prepare(settings)
          return if inside? || (RACTORS && !Ractor.main?)

          age_objects
          (1..settings.size).each do |worker|
            Interrupts.deferred { keep_prepared(settings, worker, Forker.call(settings.hooks, worker)) }
          end
        rescue SystemCallError
          nil # each worker forks its own process when it needs it
        end

        # @param worker [Integer] its number
        # @return [Connection] of that worker
        def connect(engine, worker)
          prepared = Interrupts.synchronize(PREPARED_GATE) { PREPARED[engine.settings]&.delete(worker) }
          Connection.new(engine, worker, prepared)
        end

        # Called when the pool has ended: ends the processes that no worker has taken.
        # @return [void]
        def discard(engine)
          left = Interrupts.synchronize(PREPARED_GATE) { PREPARED.delete(engine.settings) } || {}
          left.each_value(&:close)
        end

        # If two threads start the same pool at once, the second process for a worker replaces the first, which ends.
        def keep_prepared(settings, worker, child)
          needless = Interrupts.synchronize(PREPARED_GATE) do
            here = (PREPARED[settings] ||= {})
            here[worker].tap { here[worker] = child }
          end
          needless&.close
        end

        # A collection writes to each object that is not old yet. Then each process that collects gets copies of the
        # pages with such objects. So the objects are made old before the processes are forked.
        def age_objects
          COLLECTIONS_UNTIL_OLD.times { GC.start } if Forker.collector_enabled?
        end
        private :age_objects, :keep_prepared

        # Called in every forked child, which does not own the processes of its parent.
        # @return [void]
        def after_fork
          PREPARED.clear
          SocketRegistry.forget(Forker.own_ends || [])
        end
      end
    end
  end
end

%w[
  wire inherited_callables memory stage_counts socket_registry parent_watch request allocation_budget idle_release
  server child gc_state forker answers connection chunk_request named_objects advice
].each do |name|
  require_relative "processes/#{name}"
end
