# frozen_string_literal: true

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
        # With nothing put off, in a thread that somebody else has made: a thread inherits the masks of its maker.
        def allowed(&block)
          Thread.handle_interrupt(ALLOWED, &block)
        end

        # For what does not take long and must come to its end: whatever comes for the thread comes after it.
        def deferred(&block)
          Thread.handle_interrupt(DEFERRED, &block)
        end

        # For the code of others: what other threads raise into this one would be taken for theirs.
        def foreign_deferred(&block)
          Thread.handle_interrupt(FOREIGN_DEFERRED, &block)
        end
      end
    end
  end
end
