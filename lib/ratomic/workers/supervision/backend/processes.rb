# frozen_string_literal: true

require_relative "defaults"

module Ratomic
  module Workers
    module Backend
      # Workers as threads, each of which hands its items to a process of its own: see {Workers::Processes}.
      module Processes
        extend Defaults

        # How many times as long chunks are as with other backends. A request to a process costs some tenths of a
        # millisecond. An item that is alone in a request would look that expensive, and so would stay alone for ever.
        CHUNK_TIME_FACTOR = 8
        # The same for the longest chunk, while no other dispatch waits. Each request costs the parent some tenths of a
        # millisecond of processor time. With still longer chunks the workers would not end together, and a cancellation
        # would wait longer for the chunk.
        MAX_CHUNK_TIME_FACTOR = 32
        private_constant :CHUNK_TIME_FACTOR, :MAX_CHUNK_TIME_FACTOR

        class << self
          def to_sym
            :process
          end

          def unavailable
            "needs a system that can fork; take another one" if Workers::Processes.none?
          end

          # In a worker process the pool runs all in the caller: its items are in parallel with others already.
          # @raise [NotImplementedError] in another Ractor than the main one
          def start(settings, &known)
            if RACTORS && !Ractor.main?
              raise NotImplementedError, "backend: :process: start the pool #{settings.name} in the main Ractor " \
                                         "(Pool#start); Ruby does not fork in another one"
            end
            Workers::Processes.inside? ? Inline.start(settings.inline, &known) : super
          end

          def prepare(settings)
            Workers::Processes.prepare(settings)
          end

          def discard(engine)
            Workers::Processes.discard(engine)
          end

          def connect(engine, worker)
            Workers::Processes.connect(engine, worker)
          end

          # What an item does to its process would be done to this one.
          def helpers?
            false
          end

          def hooks_here?
            false
          end

          def recycles?
            true
          end

          def parallel(size)
            [size, Etc.nprocessors].min
          end

          def chunk_time_factor
            CHUNK_TIME_FACTOR
          end

          def max_chunk_time_factor
            MAX_CHUNK_TIME_FACTOR
          end

          def way_home
            :by_process
          end

          def advice(callable)
            { process: Workers::Processes::Advice.of(callable) }
          end

          def place
            "processes"
          end
        end
      end
    end
  end
end
