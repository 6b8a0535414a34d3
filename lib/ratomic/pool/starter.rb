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

      # @return [ServerChannel] to the running server
      def start
        in_server = FrozenCopy.shareable?(@factory)
        channel = start_server(in_server ? @factory : nil, in_server || Ractor.main? ? nil : Ractor.current)
        send_objects(channel)
        replenish_here(channel) unless in_server
        channel
      end

      private

      # The channel is made in the server's Ractor: only that Ractor can make the port from which it receives.
      # @param factory [#call, nil] if it is shareable: then objects are made in the server's Ractor
      # @param factory_ractor [Ractor, nil] the Ractor that the pool ends with
      def start_server(factory, factory_ractor)
        answers = Queue.new(1)
        Experimental.quietly { server(answers, factory, factory_ractor) }
        answers.pop
      end

      def server(answers, factory, factory_ractor)
        Ractor.new(answers, @size, factory, factory_ractor, name: "ratomic-pool") do |back, size, made_here, ends_with|
          channel = ServerChannel.new(Queue.new(INBOX_CAPACITY), Ractor::Port.new, Queue.new(size), size)
          Workers::Interrupts.allowed do # not its creator's mask
            server = Server.new(channel, size, ends_with)
            replenisher = Replenisher.new(channel, made_here).start if made_here
            back.push(channel)
            server.run
            replenisher&.join
          end
        end
      end

      def replenish_here(channel)
        replenisher = Replenisher.new(channel, @factory)
        exit_hooks = Workers::ExitHooks.here
        block = exit_hooks.on_end { |_, last| last && channel.close && replenisher.join }
        replenisher.start { exit_hooks.forget(block) }
      end

      def send_objects(channel)
        channel.add(@objects.pop) until @objects.empty?
      rescue Ractor::Error => e
        channel.close
        raise OwnershipError, "an object of the factory cannot be moved (#{e.message}); #{ADVICE}"
      end
    end
  end
end
