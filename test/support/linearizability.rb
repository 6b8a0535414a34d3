# frozen_string_literal: true

# Whether what several threads saw could have been seen if their calls had been made one after another, each at some
# moment between its begin and its end: whether the history is linearizable (Herlihy and Wing, 1990). The search is that
# of Wing and Gong (1993), which does not enter the same state twice (Lowe, 2017).
module Linearizability
  # A call: when it began and when it ended (nanoseconds of one clock), what it was, and what it returned.
  Call = Struct.new(:began, :ended, :operation, :result)

  class << self
    # Runs the operations and notes each call.
    # @param operations [Array]
    # @yieldparam operation [Object]
    # @yieldreturn [Object] what the call returned
    # @return [Array<Array>] the members of each {Call}, which may cross to another Ractor
    def record(operations)
      operations.map do |operation|
        began = now
        result = yield operation
        [began, now, operation, result]
      end
    end

    # @param calls [Array<Call>]
    # @param state [Object] of the model before the first call; compared with `eql?`
    # @yieldparam state [Object]
    # @yieldparam operation [Object]
    # @yieldreturn [Array(Object, Object)] what the model returns, and its next state
    # @return [Boolean]
    def order?(calls, state, &model)
      search(calls.sort_by(&:began), (1 << calls.size) - 1, state, {}, &model)
    end

    private

    def now
      Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)
    end

    # @param left [Integer] a bit for each call that has no place in the order yet
    def search(calls, left, state, seen, &model)
      return true if left.zero?
      return false if seen[[left, state]]

      seen[[left, state]] = true
      candidates(calls, left).any? do |number|
        result, after = model.call(state, calls[number].operation)
        result.eql?(calls[number].result) && search(calls, left & ~(1 << number), after, seen, &model)
      end
    end

    # The calls that may come next: none of the others ended before they began.
    def candidates(calls, left)
      numbers = (0...calls.size).select { |number| left[number] == 1 }
      first_end = numbers.map { |number| calls[number].ended }.min
      numbers.select { |number| calls[number].began <= first_end }
    end
  end
end
