# frozen_string_literal: true

module Ratomic
  module Workers
    # The items that a caller runs himself, one after another, and looks at the time: when they take far longer than
    # those before, he stops, and the pool gets the {Remainder}.
    module CallerBudget
      # Nanoseconds after which he stops. An item is not interrupted. It has to come twice: once, a busy machine may do
      # it by running somebody else.
      BUDGET_NS = 1_000_000
      # A look takes as long as a small item: there is one after the first, the fourth, the 16th and the 64th item, and
      # then after so many more.
      CHECK_INTERVAL_ITEMS = 32

      # Runs from where the results end. It is in one piece because small items are as quick as a call.
      # @param results [Array] gets those of the items
      # @param tally [Tally, nil] nil where nobody looks at the time
      # @param limit [Integer, nil] of the time, as {Tally#start}
      # @return [Boolean, :left] whether there are Failures; or that the rest is left
      def self.run(items, callable, results, tally, limit) # rubocop:disable Metrics/MethodLength
        size = items.size
        index = results.size
        stop = tally && index + 1 < size ? index + 1 : size
        failed = late = false
        while index < size
          while index < stop
            begin
              results << callable.call(items[index])
            rescue UserException => e
              results << Failure.from(e, index)
              failed = true
            end
            index += 1
          end
          break if index == size

          if (now = tally.start) >= limit
            return :left if late

            late = true
            limit = now + BUDGET_NS
          end
          stop = late ? index + 1 : following(index, size)
        end
        failed
      end

      # @return [Integer] items that are done at the next look
      def self.following(done, size)
        done += done < CHECK_INTERVAL_ITEMS ? done * 3 : CHECK_INTERVAL_ITEMS
        done < size ? done : size
      end
      private_class_method :following
    end
  end
end
