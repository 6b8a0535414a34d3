# frozen_string_literal: true

module Ratomic
  module Workers
    # Runs the items of a dispatch in the caller's thread and reads the clock meanwhile. If they take far longer than
    # those of earlier dispatches, it stops, and the pool gets the {Remainder}.
    module CallerBudget
      # Nanoseconds after which it stops. No item is interrupted. The time has to be exceeded twice in a row: once can
      # happen because a busy machine ran another process meanwhile.
      BUDGET_NS = 1_000_000
      # To read the clock takes as long as a small item. So it is read after the first, the fourth, the 16th and the
      # 64th item, and then after each further number of this many items.
      CHECK_INTERVAL_ITEMS = 32

      # Runs the items that have no result yet. It is one long method because a method call takes as long as a small
      # item.
      # @param results [Array] gets those of the items
      # @param tally [Tally, nil] nil if there is no limit
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
