# frozen_string_literal: true

require_relative "ledger"
require_relative "order_line"

# A job that dispatches: the workers parse its lines, and it waits for them. It may run again at any time.
class OrderJob
  include Sidekiq::Worker
  sidekiq_options queue: "orders", retry: 3

  # A supplier that does not answer holds up one worker of this pool, and nobody else's. The threads of jobs run no
  # lines themselves: what Sidekiq raises there when the time is up would wait until the line is done.
  POOL = Ratomic::Workers::Pool.new(size: 3, name: "orders", min_batch: 0)
  # Seconds that a job which lingers goes on after its result was counted.
  LINGER = Float(ENV.fetch("LINGER_SECONDS", "0"))

  # Set by the {PolicyMiddleware}.
  # @return [Policy]
  attr_accessor :policy

  # @param _tenant [String]
  # @param lines [Array<String>]
  # @param lingers [Boolean]
  def perform(_tenant, lines, lingers)
    Ledger.begun(jid)
    Ledger.done(jid, OrderJob.result(totals(lines)))
    sleep(LINGER) if lingers
  end

  # In place of #perform, where the tenant is suspended.
  # @return [void]
  def refuse
    Ledger.begun(jid)
    Ledger.done(jid, "refused")
  end

  # @param totals [Array<Integer, nil>] nil for a line that was rejected
  # @return [String]
  def self.result(totals)
    "#{totals.compact.sum} cents, #{totals.count(nil)} rejected"
  end

  private

  # When Sidekiq's time is up it raises Sidekiq::Shutdown in the thread of the job, which waits here: then the dispatch
  # is cancelled. A line that was not parsed for such a reason must not count as rejected.
  def totals(lines)
    future = POOL.dispatch_async(lines, OrderLine, context: policy, cancel_on_abandon: true)
    future.value(timeout: 300).map do |result|
      next result unless Ratomic::Workers::Failure === result
      raise result.to_error unless OrderLine::REJECTIONS.include?(result.exception_class)
    end
  end
end
