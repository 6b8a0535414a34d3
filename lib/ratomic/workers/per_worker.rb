# frozen_string_literal: true

module Ratomic
  module Workers
    # A callable with state: each worker has its own object, and calls it with the items. For objects that cannot be
    # shared and are expensive to make: a parser, an encoder, a client.
    #
    #   PARSER = Ratomic::Workers.per_worker(call: :parse) { FeedParser.new }
    #   Ratomic::Workers.dispatch_async(feeds, PARSER)
    #
    # The object is made by the factory in the worker, at its first item, or when the worker starts
    # (`Pool.new(on_worker_start: PARSER)`). Two threads never use it at the same time, and it need not be frozen. It is
    # dropped when its worker ends, when the PerWorker is collected, and when an item has killed the thread that used
    # it, because its state is unknown then. While an item waits for another dispatch of the same pool, and with the
    # `:inline` backend, threads that are no workers run items. They borrow an object that other such threads of this
    # Ractor have made, or make one.
    #
    # When the factory raises, the item has a {Failure} with a {FactoryError} that names the factory, and the next item
    # tries again. Callers never run such a callable themselves (`min_batch:`, `run: :waiter`).
    #
    # Frozen, and shareable where the factory is.
    class PerWorker
      # @return [#call]
      attr_reader :factory

      # @see Workers.per_worker
      def initialize(factory, call)
        Callable.check(factory, "the factory", "") if RACTORS || !Callable.call?(factory)
        raise TypeError, "call: must be a Symbol, not #{Arguments.shown(call)}" unless Symbol === call

        @factory = factory
        @method = call
        freeze
        Processes::InheritedCallables.register(self) if !RACTORS || Ractor.main?
      end

      # @param item [Object]
      # @return [Object] what this worker's object returns
      # @raise [FactoryError]
      def call(item)
        if (worker_locals = WorkerLocals.here)
          (worker_locals[self] || make(worker_locals))[0].public_send(@method, item)
        else
          WorkerLocals.borrow { |borrowed| (borrowed[self] || make(borrowed))[0].public_send(@method, item) }
        end
      end

      # Makes this worker's object now, where it was not made yet. For `on_worker_start:`.
      # @return [self]
      # @raise [FactoryError]
      def prepare
        worker_locals = WorkerLocals.here
        make(worker_locals) if worker_locals && worker_locals[self].nil?
        self
      end

      # For `on_worker_stop:`, which may have something to close.
      # @return [Object, nil] this worker's object; nil where it was not made, and elsewhere than in a worker
      def here
        (worker_locals = WorkerLocals.here) && worker_locals[self]&.first
      end

      # @return [String]
      def to_s
        "per worker: #{Callable.label(@factory)}"
      end

      def inspect
        "#<#{self.class} #{self}>"
      end

      # In a worker process that has inherited this PerWorker, a copy is replaced by the inherited one, because the
      # worker's own object is kept with that one.
      def self._load(bytes)
        number, factory, method = Marshal.load(bytes) # rubocop:disable Security/MarshalLoad -- a part of what is read
        Processes::InheritedCallables.same(number) { new(factory, method) }
      end
      private_class_method :_load

      private

      def _dump(depth)
        Marshal.dump([Reflection.id_of(self), @factory, @method], depth)
      end

      # @return [Array(Object)]
      def make(worker_locals)
        object = made
        unless Reflection.responds?(object, @method)
          raise FactoryError, "#{name} returned an instance of #{Reflection.class_name_of(object)}, which has no " \
                              "method `#{@method}`"
        end
        worker_locals[self] = [object]
      end

      def made
        @factory.call
      rescue UserException => e
        raise FactoryError, "#{name} raised #{Reflection.class_name_of(e)}: #{e.message}; it is tried again with the " \
                            "next item"
      end

      def name
        label = Callable.label(@factory)
        location = Callable.location(@factory)
        location.nil? || location == label ? "the factory #{label}" : "the factory #{label} (#{location})"
      end
    end
  end
end
