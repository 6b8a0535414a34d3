# frozen_string_literal: true

module Ratomic
  module Workers
    module Backend
      # All questions that the library asks a backend, so that no other code compares names of backends. The answers
      # here are those for workers that are threads of the program's own Ractor. Each backend overrides the answers that
      # differ.
      #
      # A backend also has `to_sym`, its name.
      module Defaults
        # @return [String, nil] why this Ruby or system cannot have such workers
        def unavailable; end

        # Starts a pool.
        # @param settings [Settings]
        # @yieldparam engine [Engine] before it works
        # @return [Engine]
        def start(settings, &known)
          Backend.coordinate(settings, &known)
        end

        # Makes what workers need from the thread that calls {Pool#start}, before they start.
        # @return [void]
        def prepare(_settings); end

        # Called when the pool has ended.
        # @return [void]
        def discard(_engine); end

        # Starts a worker.
        # @param parts [Array<Batch>, nil] see {Worker#run}
        # @return [Thread, Ractor] its body
        def spawn(engine, worker_status, parts)
          OwnThread.start("ratomic-#{engine.name}-#{worker_status.id}", deferred: true) do
            Worker.new(engine, worker_status).run(parts)
          end
        end

        # Whether the worker with that body has not ended.
        def alive?(body)
          body.alive?
        end

        # @param worker [Integer] its number
        # @return [Processes::Connection, nil] to the process in which a worker runs its items, if that is another one
        def connect(_engine, _worker); end

        # Whether there are workers. Where there are none, the caller runs all items.
        def workers?
          true
        end

        # Whether workers and callers use the same objects. If not, each worker has objects that nobody else refers to.
        def shared_memory?
          true
        end

        # Whether frozen results reach the caller without work of its own thread, and items run beside it.
        def free_results?
          false
        end

        # Whether items may run in other threads of this process than the workers: in a {HelperThread}.
        def helpers?
          true
        end

        # Whether a worker ends to bring its owned results home, so that others have to wait in reserve.
        def reserve?
          false
        end

        # Whether items that fail in such workers may succeed elsewhere (`fallback:`).
        def fallback?
          false
        end

        # Whether the hooks run in the worker's thread. A worker process calls them itself.
        def hooks_here?
          true
        end

        # Whether `recycle_after:` has a meaning.
        def recycles?
          false
        end

        # Whether Coverage counts what workers run.
        def covered?
          true
        end

        # @param size [Integer] workers
        # @return [Integer] how many of them compute at the same time
        def parallel(_size)
          1
        end

        # @return [Integer, nil] how many workers Ruby runs at the same time, if it has such a limit
        def at_once; end

        # @return [Integer] how many times as long chunks have to be, because each costs more than with other backends
        def chunk_time_factor
          1
        end

        # @return [Integer] the same for the longest chunk, while no other dispatch waits
        def max_chunk_time_factor
          chunk_time_factor
        end

        # @return [Integer] nanoseconds that it takes to hand over the owned results of a dispatch, besides the wake-up
        def handover_cost_ns
          0
        end

        # @return [Symbol, nil] which way owned results come, see {WayHome}; nil where it depends on the work
        def way_home
          :in_place
        end

        # Makes the mailbox of a worker. A thread gets messages only from its own Ractor, so it needs no port. (And a
        # fork while threads wait at ports may damage the child, see {ForkHook}.)
        # @return [Ractor::Port, Mailbox::QueueMailbox]
        def new_mailbox
          Mailbox::QueueMailbox.new
        end

        # Checks that workers may call the callable. Threads may have one of their own Ractor that is not shareable.
        # @param home [Boolean] whether the calling Ractor is that of the coordinator
        # @return [Object, RactorLocalRefs::Ref]
        # @raise [CallableError]
        def admit(callable, home)
          home ? Callable.any(callable) : Callable.check(callable)
        end

        # Whether workers may call a block that is not shareable.
        def any_block?
          true
        end

        # As {#admit}, of an {Around} whose callable was admitted before.
        def admit_around(around, home)
          admit(around, home)
        end

        # @return [Array<IsolationLint::Finding>] what the callable does that such workers cannot do
        def findings(_callable)
          []
        end

        # @return [Hash] what {Explanation} tells besides
        def advice(_callable)
          {}
        end

        # @return [String] where items run, for people
        def place
          "threads of the main Ractor"
        end
      end
    end
  end
end
