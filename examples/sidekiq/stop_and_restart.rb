# frozen_string_literal: true

require_relative "order_queue"
require_relative "sidekiq_process"
require_relative "workload"

# Jobs, TERM in the middle of the work, and another process that does the rest: what has become of each job?
class StopAndRestart
  HANG = { "SUPPLIER_SECONDS" => "600", "LINGER_SECONDS" => "600" }.freeze

  # @return [OrderQueue::Part] the process that got TERM, and the one after it
  attr_reader :first, :second
  # @return [Integer] jobs that were done again after they had been counted
  attr_reader :repeated

  # @param queue [OrderQueue]
  # @param workload [Workload]
  def initialize(queue, workload)
    @queue = queue
    @workload = workload
  end

  # @return [Array<String>] what is not as it should be
  # @raise (see OrderQueue#serve)
  def run
    @workload.push
    @first = @queue.serve(HANG) { in_mid_work? }
    lost = @workload.expected.keys - Ledger.results.keys - @queue.ids
    @second = @queue.serve { Ledger.results.size == @workload.expected.size && @queue.size.zero? }
    @repeated = Ledger.repeated
    problems(lost)
  end

  private

  # Both long jobs hang, others are done, and others wait.
  def in_mid_work?
    (@workload.long - Ledger.all_begun).empty? && Ledger.results.key?(@workload.long.last) && Ledger.results.size > 10
  end

  def problems(lost)
    {
      "#{lost.size} jobs were lost by TERM" => lost.any?,
      "#{Ledger.results.size} results, and not those that #{@workload.expected.size} jobs must have" =>
        Ledger.results != @workload.expected,
      "other jobs were put back than those that hung" => @first.put_back.sort != @workload.long.sort,
      "#{@repeated} jobs were done again, and it should be the one that lingered" => @repeated != 1,
      "nothing was left for the second process" => @first.waiting.empty?,
      "a process did not end with status 0" => ![@first, @second].all? { |part| part.status.success? },
      "there are jobs to be tried again" => Sidekiq::RetrySet.new.size.positive?
    }.select { |_, true_now| true_now }.keys
  end
end
