# frozen_string_literal: true

module Ratomic
  module Workers
    # The threads that the library makes for itself. They say nothing when they die, and who joins one does not die of
    # it: what ended it may be an item's.
    #
    # A thread inherits what its maker has put off with `Thread.handle_interrupt`, for ever: a caller who starts a pool
    # in such a block would get workers that cannot be interrupted. So these begin with nothing put off.
    module OwnThread
      # @param name [String, nil]
      # @return [Thread]
      def self.start(name = nil, &block)
        Thread.new do
          Thread.current.name = name
          Thread.current.report_on_exception = false
          Interrupts.allowed(&block)
        rescue Exception # rubocop:disable Lint/RescueException -- see above
          nil
        end
      end
    end
  end
end
