# frozen_string_literal: true

require "etc"

module Ratomic
  module Workers
    # What a pool is made with. Checked once, frozen and shareable.
    class Settings
      BACKENDS = %i[ractor thread inline].freeze
      MAX_QUEUE = 4096
      NUMBERS = Counter.new

      attr_reader :size, :name, :backend, :max_queue

      # Not all of threads, Ractors and Prometheus take any bytes in a name.
      # @return [String] frozen, in UTF-8
      def self.text(name)
        Text.of(name.to_s).delete("\0").freeze
      end

      # @param size [Integer, nil] workers; nil takes the number of processors
      # @param name [String, nil] in statistics, events and thread names; nil takes "workers-1" and so on
      # @param backend [Symbol, nil] one of BACKENDS; nil takes `:ractor` where there are Ractors, else `:thread`
      # @param max_queue [Integer] dispatches that wait in the queue at most
      # @raise [ArgumentError, TypeError] which says what it may be
      # @raise [NotImplementedError] for `:ractor` on a Ruby without them
      def initialize(size: nil, name: nil, backend: nil, max_queue: nil)
        @size = count(:size, size || Etc.nprocessors, 1024)
        @max_queue = count(:max_queue, max_queue || MAX_QUEUE, 2**20)
        @backend = known(backend || (RACTORS ? :ractor : :thread))
        @name = Settings.text(name || "workers-#{NUMBERS.increment}")
        freeze
      end

      # @return [Integer] workers that can run at a time
      def parallel
        @backend == :ractor ? [@size, Etc.nprocessors].min : 1
      end

      # @return [Float] share of the time that all workers together save, at best
      def gain
        1 - (1.0 / parallel)
      end

      private

      def count(what, value, most)
        raise TypeError, "#{what}: must be an Integer, not #{value.inspect}" unless value.is_a?(Integer)
        raise ArgumentError, "#{what}: is #{value}, it must be 1 to #{most}" unless value.between?(1, most)

        value
      end

      def known(backend)
        unless BACKENDS.include?(backend)
          raise ArgumentError, "backend: is #{backend.inspect}, it must be one of #{BACKENDS.inspect}"
        end
        return backend if RACTORS || backend != :ractor

        raise NotImplementedError, "backend: :ractor needs Ruby 4.0 or newer; leave it out, or take :thread"
      end
    end
  end
end
