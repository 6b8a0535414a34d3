# frozen_string_literal: true

require_relative "replenisher"
require_relative "server"

module Ratomic
  class Pool
    # Starts a pool: makes the objects, then the server's Ractor, and moves the objects there.
    class Starter
      # Messages that may be under way; a caller beyond that waits for the server, which is quick.
      INBOX = 4096

      ADVICE = "a Pool lends plain mutable objects, a LocalPool lends whatever stays in its Ractor"
      private_constant :ADVICE

      # @param object [Object]
      # @return [Object] +object+
      # @raise [OwnershipError] if it cannot go from owner to owner
      def self.check(object)
        if FrozenCopy.shareable?(object) || Reflection.frozen?(object)
          raise OwnershipError, "the factory made a #{Reflection.class_of(object)} that is frozen or shareable; a " \
                                "Pool lends mutable objects (what never changes needs no pool: a constant will do)"
        end

        obstacle = Workers::Moving.obstacle(object, "object")
        raise OwnershipError, "the factory made what cannot be moved: #{obstacle}; #{ADVICE}" if obstacle

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
        obstacle = Workers::Moving.obstacle(@objects, "objects", parts: true) # one may be part of another
        raise OwnershipError, "the factory made what cannot be moved: #{obstacle}; #{ADVICE}" if obstacle
      end

      # @return [ServerChannel] to the running server
      def link
        abroad = FrozenCopy.shareable?(@factory)
        link = start(abroad ? @factory : nil, abroad || Ractor.main? ? nil : Ractor.current)
        furnish(link)
        make_here(link) unless abroad
        link
      end

      private

      # The server's Ractor sends back the link, because only it can make the port that objects arrive at.
      def start(factory, home)
        answers = Queue.new(1)
        Experimental.quietly { server(answers, factory, home) }
        answers.pop
      end

      def server(answers, factory, home)
        Ractor.new(answers, @size, factory, home, name: "ratomic-pool") do |back, size, making, maker_home|
          link = ServerChannel.new(Queue.new(INBOX), Ractor::Port.new, Queue.new(size), size)
          Thread.handle_interrupt(Object => :immediate) do # it inherits the mask of its maker
            server = Server.new(link, size, maker_home)
            maker = Replenisher.new(link, making).start if making
            back.push(link)
            server.run
            maker&.join
          end
        end
      end

      def make_here(link)
        maker = Replenisher.new(link, @factory)
        farewell = ExitHooks.here
        block = farewell.on_end { |_, last| last && link.close && maker.join }
        maker.start { farewell.forget(block) }
      end

      def furnish(link)
        link.bring(@objects.pop) until @objects.empty?
      rescue Ractor::Error => e
        link.close
        raise OwnershipError, "an object of the factory cannot be moved (#{e.message}); #{ADVICE}"
      end
    end
  end
end
