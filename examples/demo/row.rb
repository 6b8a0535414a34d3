# frozen_string_literal: true

module Demo
  # One line of the table: a job in a mode.
  Row = Struct.new(:job, :mode, :items, :bytes, :failures, :seconds, :speedup) do
    # @return [Float]
    def items_per_second
      items / seconds
    end

    # @return [Hash] for the JSON report
    def to_report
      { job: job, mode: mode, items: items, bytes: bytes, failures: failures, seconds: seconds.round(6),
        items_per_second: items_per_second.round(1), speedup: speedup.round(3) }
    end
  end
end
