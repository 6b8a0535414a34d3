# frozen_string_literal: true

require "timeout"

module Ratomic
  class LocalPool
    # The Timeout of Ruby 3.1 ends its block by a `throw`, in the thread itself, when the exception is delivered; in the
    # `ensure` of a `with` that looks like a `throw` of the block's own. So it is noted at what is lent in that moment.
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
