# frozen_string_literal: true

require "etc"

module Ratomic
  module Workers
    # What a pool is made with. Checked once, frozen and shareable.
    class Settings
      # What may run items that fail because they ran in a Ractor.
      FALLBACKS = %i[thread process].freeze
      MAX_QUEUE = 4096
      NUMBERS = Counter.new

      # What `recycle_after:` may say.
      RECYCLE = %i[items megabytes].freeze

      attr_reader :size, :name, :backend, :max_queue, :hooks, :fallback
      # @return [Hash{Symbol => Numeric}] frozen: items, megabytes, or both, after which a worker process is replaced
      attr_reader :recycle_after

      # Makes a name that threads, Ractors and Prometheus accept, from any bytes.
      # @return [String] frozen, in UTF-8
      def self.text(name)
        Text.of(name.to_s).delete("\0").freeze
      end

      # @param size [Integer, nil] workers; nil takes the number of processors
      # @param name [String, Symbol, nil] in statistics, events and thread names; nil takes "workers-1" and so on
      # @param backend [Symbol, nil] one of `Backend.names`; nil takes `:ractor` where there are Ractors, else `:thread`
      # @param max_queue [Integer] dispatches that wait in the queue at most
      # @param recycle_after [Integer, Hash, nil] items, or `{ items:, megabytes: }`, after which a worker process is
      #   replaced; with `backend: :process` only
      # @param hooks [Hooks] of its workers
      # @param fallback [Symbol, nil] one of FALLBACKS
      # @raise [ArgumentError, TypeError] which says what it may be
      # @raise [NotImplementedError] for `:ractor` on a Ruby without them
      def initialize(size: nil, name: nil, backend: nil, max_queue: nil, recycle_after: nil, fallback: nil,
                     hooks: Hooks.new(nil, nil))
        @size = Arguments.integer(:size, size || Etc.nprocessors, 1..1024)
        @max_queue = Arguments.integer(:max_queue, max_queue || MAX_QUEUE, 1..2**20)
        @backend = choice(:backend, backend || (RACTORS ? :ractor : :thread), Backend.names)
        @fallback = (choice(:fallback, fallback, FALLBACKS) unless NilClass === fallback)
        @recycle_after = limits(recycle_after)
        @hooks = hooks
        @name = named(name)
        freeze
      end

      # @return [Module] the {Backend}
      def kind
        Backend.of(@backend)
      end

      # @return [Settings] these settings for a pool that is used in an item of a worker process
      def inline
        with_backend(:inline)
      end

      # Whether the pool has a fallback: other workers for items that fail because they ran in a Ractor.
      def falls_back?
        !@fallback.nil? && kind.fallback?
      end

      # Makes a block callable for the workers, or for those of the fallback.
      # @param block [#call]
      # @param what [String] for the message
      # @return [#call]
      # @raise [CallableError]
      def share(block, what)
        kind.any_block? ? block : Blocks.share(block, what)
      rescue CallableError
        raise unless falls_back?

        block
      end

      # @return [Settings] these settings for the {FallbackEngine} of the pool
      def of_fallback
        with_backend(Processes.inside? ? :thread : @fallback) # a worker process forks no workers
      end

      # @return [Integer] workers that can run at a time
      def parallel
        kind.parallel(@size)
      end

      # @return [Float] share of the time that all workers together save, at best
      def gain
        1 - (1.0 / parallel)
      end

      private

      def named(name)
        return Settings.text("workers-#{NUMBERS.increment}") if nil.equal?(name)

        unless String === name || Symbol === name
          raise TypeError, "name: must be a String, a Symbol or nil, not #{Arguments.shown(name)}"
        end

        name = Settings.text(name)
        raise ArgumentError, "name: is empty, it must be a name, or nil" if name.empty?

        name
      end

      # @return [Settings]
      def with_backend(backend)
        copy = dup
        copy.instance_variable_set(:@backend, backend)
        copy.freeze
      end

      def limits(given)
        return {}.freeze if NilClass === given
        raise ArgumentError, "recycle_after: is for backend: :process only" unless kind.recycles?

        given = { items: given } unless given.is_a?(Hash)
        given.each do |name, value|
          next if RECYCLE.include?(name) && Numeric === value && value.real? && value.positive?

          raise ArgumentError, "recycle_after: is #{Arguments.shown(given)}, it must be a number of items or " \
                               "{ items:, megabytes: } of positive numbers"
        end
        given.dup.freeze
      end

      # @return [Symbol] the value
      def choice(option, value, choices)
        Arguments.choice(option, value, choices)
        why = Backend.of(value).unavailable
        raise NotImplementedError, "#{option}: #{value.inspect} #{why}" if why

        value
      end
    end
  end
end
