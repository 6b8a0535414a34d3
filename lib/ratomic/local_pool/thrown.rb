# frozen_string_literal: true

require "timeout"

module Ratomic
  class LocalPool
    # In Ruby 3.1 Timeout ends its block with a `throw`, made by the thread itself when the exception is delivered. In
    # the `ensure` of a `with` that looks like a `throw` of the block's own. So all slots that are lent in that moment
    # are marked.
    module Thrown
      def exception(*)
        if thread.equal?(Thread.current)
          Thread.current[:ratomic_local_pool_lent]&.each_value { |slot| slot.thrown = true }
        end
        super
      end

      ::Timeout::Error.prepend(self) if ::Timeout::Error.respond_to?(:catch)
    end
  end
end
