# frozen_string_literal: true

# Says at the end of the suite why tests were skipped, and how many for each reason.
class SkipReport < Minitest::AbstractReporter
  def initialize
    super
    @reasons = Hash.new(0)
  end

  def record(result)
    @reasons[result.failure.message] += 1 if result.skipped?
  end

  def report
    @reasons.each { |reason, count| puts "skipped #{count}: #{reason}" }
  end

  Minitest.extensions << "skip_report"
  def Minitest.plugin_skip_report_init(_options)
    reporter << SkipReport.new
  end
end
