# frozen_string_literal: true

require_relative "replenisher"
require_relative "server"

module Ratomic
  class Pool
    # Starts a pool: makes the objects, starts the server's Ractor, and moves the objects there.
    class Starter
      # Capacity of the server's inbox. When it is full, a caller waits for the server.
      INBOX_CAPACITY = 4096

      ADVICE = "a Pool lends plain mutable objects, a LocalPool lends whatever stays in its Ractor"
      private_constant :ADVICE

      # @param object [Object]
      # @return [Object] +object+
      # @raise [OwnershipError] if it cannot go from owner to owner
      def self.check(object)
        raise OwnershipError, "the factory made one object twice; let it make a new one" if Lease.moved?(object)

        if FrozenCopy.shareable?(object) || Reflection.object_frozen?(object)
          raise OwnershipError, "the factory made an instance of #{Reflection.class_of(object)} that is frozen or " \
                                "shareable; a Pool lends mutable objects (for one that never changes use a constant)"
        end

        reason = Workers::Moving.obstacle(object, "object")
        raise OwnershipError, "the factory made an object that cannot be moved: #{reason}; #{ADVICE}" if reason

        object
      end

      # @param size [Integer]
      # @param factory [#call]
      # @raise what the factory raises; nothing is left running then
      # @raise [OwnershipError] if its objects cannot be moved
      def initialize(size, factory)
        @size = size
        @factory = factory
        @objects = Array.new(size) { Starter.check(factory.call) }
        reason = Workers::Moving.obstacle(@objects, "objects", parts: true) # an object may be part of another
        raise OwnershipError, "the factory made an object that cannot be moved: #{reason}; #{ADVICE}" if reason
      end

      # Waits for the server's Ractor to start. An interrupt ends the wait, and nothing is left running then.
      # @return [ServerChannel] to the running server
      # @raise [ThreadError] if Ruby can make no thread; nothing is left running then
      def start
        in_server = FrozenCopy.shareable?(@factory)
        channel = start_server(in_server ? @factory : nil, in_server || Ractor.main? ? nil : Ractor.current)
        send_objects(channel)
        replenish_here(channel) unless in_server
        started = channel
      ensure
        channel&.close unless started
      end

      # The main thread of the server's Ractor.
      # @param promise [Workers::StartPromise] of the channel
      def self.host(promise, size, factory, factory_ractor)
        channel = server = replenisher = nil
        awaited = promise.fulfil do
          channel = ServerChannel.new(Queue.new(INBOX_CAPACITY), Ractor::Port.new, Queue.new(size), size)
          server = Server.new(channel, size, factory_ractor)
          replenisher = Replenisher.new(channel, factory)
          replenisher.start if factory
          channel
        end
        awaited ? server.run : channel&.close
      ensure
        replenisher&.join
      end

      private

      # The channel is made in the server's Ractor: only that Ractor can make the port from which it receives.
      # @param factory [#call, nil] if it is shareable: then objects are made in the server's Ractor
      # @param factory_ractor [Ractor, nil] the Ractor that the pool ends with
      def start_server(factory, factory_ractor)
        promise = Workers::StartPromise.new
        Experimental.quietly { server(promise, factory, factory_ractor) }
        promise.await("the Ractor of the pool", &:close)
      end

      def server(promise, factory, factory_ractor)
        Ractor.new(promise, @size, factory, factory_ractor, name: "ratomic-pool") do |*all|
          Workers::Interrupts.allowed { Starter.host(*all) } # not its creator's mask
        end
      end

      def replenish_here(channel)
        replenisher = Replenisher.new(channel, @factory)
        exit_hooks = Workers::ExitHooks.here
        block = exit_hooks.on_end { |_, last| last && channel.close && replenisher.join }
        started = replenisher.start { exit_hooks.forget(block) }
      ensure
        exit_hooks.forget(block) if block && !started
      end

      def send_objects(channel)
        channel.add(@objects.pop) until @objects.empty?
      rescue Ractor::Error => e
        raise OwnershipError, "an object of the factory cannot be moved (#{e.message}); #{ADVICE}"
      end
    end
  end
end
