# frozen_string_literal: true

require_relative "user_exception"

module Ratomic
  module Workers
    # When what other threads send to this one (`Thread#raise`, `Thread#kill`) is let in. Each runs a block.
    #
    # A mask is made once: Ruby copies one that does not compare by identity, or has more keys behind Exception, each
    # time.
    module Interrupts
      ALLOWED = { Object => :immediate }.compare_by_identity.freeze
      DEFERRED = { Object => :never }.compare_by_identity.freeze
      # What {UserException} never takes for the code of others comes at once.
      FOREIGN_DEFERRED = UserException::EXEMPT.to_h { |kind| [kind, :immediate] }
                                              .merge(Exception => :never).compare_by_identity.freeze
      private_constant :ALLOWED, :DEFERRED

      class << self
        # Runs the block with no interrupts deferred, whatever the thread inherited: a thread inherits the masks of its
        # creator.
        def allowed(&block)
          Thread.handle_interrupt(ALLOWED, &block)
        end

        # For a short block that must run to its end: interrupts come after it.
        def deferred(&block)
          Thread.handle_interrupt(DEFERRED, &block)
        end

        # For blocks that call a user's code: an exception that another thread raises into this one comes after the
        # block, or it would be taken for the user's.
        def foreign_deferred(&block)
          Thread.handle_interrupt(FOREIGN_DEFERRED, &block)
        end
      end
    end
  end
end
