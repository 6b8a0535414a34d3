# frozen_string_literal: true

require "fcntl"
require "io/nonblock"
require "io/wait"
require "socket"

module Ratomic
  module Workers
    # Worker processes: what a pool with `backend: :process` runs its items in. Each worker is a thread of this process
    # that hands its chunks to a process of its own, see {Connection}, and waits; so all that a pool promises is kept by
    # the same code as with the other backends.
    #
    # @api private
    module Processes
      # settings of a pool => number of a worker => the process that was forked before that worker has asked for it
      STOCK = {}.compare_by_identity
      STOCK_GATE = Thread::Mutex.new
      # Collections that an object survives before it is old.
      COLLECTIONS_UNTIL_OLD = 3
      private_constant :STOCK, :STOCK_GATE, :COLLECTIONS_UNTIL_OLD

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
            Interrupts.deferred { stock(settings, worker, Launch.call(settings.hooks, worker)) }
          end
        rescue SystemCallError
          nil # the workers try again
        end

        # @param worker [Integer] its number
        # @return [Connection] of that worker
        def link(engine, worker)
          Connection.new(engine, worker, STOCK_GATE.synchronize { STOCK[engine.settings]&.delete(worker) })
        end

        # The pool has ended: what its workers have not taken ends too.
        # @return [void]
        def discard(engine)
          left = STOCK_GATE.synchronize { STOCK.delete(engine.settings) } || {}
          left.each_value(&:close)
        end

        # Of two threads that start one pool the processes of one are not needed.
        def stock(settings, worker, child)
          needless = STOCK_GATE.synchronize do
            here = (STOCK[settings] ||= {})
            here[worker].tap { here[worker] = child }
          end
          needless&.close
        end

        # A collection writes to each object that is not old, so that the page is copied in every process that collects.
        # Now they get old once for all of them.
        def age_objects
          COLLECTIONS_UNTIL_OLD.times { GC.start } if Launch.collector?
        end
        private :age_objects, :stock

        # In a forked child, of whatever kind: it has none of them.
        # @return [void]
        def in_child
          STOCK.clear
          SocketRegistry.forget(Launch.own_ends || [])
        end
      end
    end
  end
end

%w[
  wire inherited_callables memory stage_counts socket_registry parent_watch request server child launch answers
  connection chunk_request named_objects advice
].each do |name|
  require_relative "processes/#{name}"
end
