# frozen_string_literal: true

require_relative "ractor_local"

module Ratomic
  module Workers
    # Has the main thread of a worker's Ractor join the other threads of the library when they end, so that at their end
    # some thread of their Ractor is ready to run.
    #
    # Ruby 4.0 needs that. Between the moment in which a thread gives up its turn for ever and the moment in which its
    # native thread looks for the next one, another Ractor can wake a thread of the same Ractor. The Ractor is then put
    # into the VM's queue of ready Ractors, and the native thread runs the woken thread at once, without taking the
    # Ractor out of the queue. (Ruby 4.1 takes it out.) A Ractor that is put there a second time breaks the queue: all
    # Ractors of the process stand still, or it crashes. A thread that is joined makes its joiner ready before it gives
    # up its turn. Then the VM goes on with the joiner, and nothing is put into the queue. (What is left: a thread that
    # ends while the main thread waits for another one, which it does when it replaces a runner, and at its end.)
    #
    # There is no thread for this alone, because a Ractor that ends with a living thread while the program ends can lock
    # up Ruby 4.0 too.
    class Reaper
      JOIN = [:join].freeze
      REAPERS = RactorLocal.new(:ratomic_workers_reaper)
      private_constant :REAPERS

      # @return [Reaper, nil] of this Ractor; nil in a Ractor that is no worker's
      def self.here
        REAPERS.value if RACTORS
      end

      # The calling thread is the main thread of a worker's Ractor, and calls {#join} when a {JOIN} comes.
      # @param mailbox [Mailbox] the worker's
      # @return [Reaper]
      def self.enter(mailbox)
        REAPERS.fetch { new(mailbox) }
      end

      def initialize(mailbox)
        @mailbox = mailbox
        @ending = Thread::Queue.new # a message cannot contain a thread
      end

      # Called by a thread that is about to end: has the main thread join it.
      # @return [void]
      def expect
        @ending << Thread.current
        @mailbox.send(JOIN)
      rescue *Mailbox::CLOSED
        nil # the worker ends
      end

      # Waits for the threads that end.
      # @return [void]
      def join
        until @ending.empty?
          thread = @ending.pop
          join_one(thread) while thread.alive?
        end
      end

      private

      def join_one(thread)
        thread.join
      rescue Exception # rubocop:disable Lint/RescueException -- what it has died of, or what an item raises into this one
        nil
      end
    end
  end
end
