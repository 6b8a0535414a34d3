# frozen_string_literal: true

module Ratomic
  module Workers
    # The initial value of the sums of a reduction. Each chunk gets its own.
    class Initial
      # @param given [Object] a callable makes a new value for each chunk. A value that is not frozen is copied for each
      #   chunk; the first level of the copy can be changed.
      # @raise [ShareableError]
      def initialize(given, blocks)
        @made = Reflection.responds?(given, :call)
        @thaw = !@made && !Ractor.shareable?(given)
        # An exception that another thread raises in this one comes after it: it must not be taken for the reason.
        @given = Interrupts.exceptions_deferred { take(given, blocks) }
        freeze
      end

      # @return [Object]
      def fresh
        return @given.call if @made

        @thaw ? @given.dup : @given
      end

      private

      def take(given, blocks)
        @made ? blocks.call(given, "initial:") : FrozenCopy.of(given)
      rescue UserException => e
        raise if CallableError === e

        kind = Reflection.class_name_of(given)
        raise ShareableError, "initial: (an instance of #{kind}) can be neither shared nor copied: " \
                              "#{UnshareablePart.describe(given, e)}; pass a callable that makes one (`-> { ... }`)"
      end
    end
    private_constant :Initial
  end
end
