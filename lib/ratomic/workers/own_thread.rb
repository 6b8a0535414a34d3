# frozen_string_literal: true

module Ratomic
  module Workers
    # The threads that the library makes for itself. They say nothing when they die, and who joins one does not die of
    # it: what ended it may be an item's.
    #
    # A thread inherits what its maker has put off with `Thread.handle_interrupt`, for ever: a caller who starts a pool
    # in such a block would get workers that cannot be interrupted. So these begin with nothing put off.
    module OwnThread
      ANYTHING = { Object => :immediate }.compare_by_identity.freeze
      NOTHING = { Object => :never }.compare_by_identity.freeze
      private_constant :ANYTHING, :NOTHING

      # @param name [String, nil]
      # @return [Thread]
      def self.start(name = nil, &block)
        Thread.new do
          Thread.current.name = name
          Thread.current.report_on_exception = false
          undeterred(&block)
        rescue Exception # rubocop:disable Lint/RescueException -- see above
          nil
        end
      end

      # Runs the block, which does not take long, to its end: whatever comes for the thread comes after it.
      def self.uninterrupted(&block)
        Thread.handle_interrupt(NOTHING, &block)
      end

      # Runs the block with nothing put off, in a thread that somebody else has made.
      def self.undeterred(&block)
        Thread.handle_interrupt(ANYTHING, &block)
      end
    end
  end
end
