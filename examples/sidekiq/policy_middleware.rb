# frozen_string_literal: true

# Server middleware: gives each job the policy of its tenant, which is its first argument. The job of a suspended tenant
# is not run.
class PolicyMiddleware
  # @param policies [#fetch]
  def initialize(policies)
    @policies = policies
  end

  # Called by Sidekiq around each job, in the job's thread.
  def call(worker, job, _queue)
    worker.policy = @policies.fetch(job["args"].first)
    worker.policy.suspended ? worker.refuse : yield
  end
end
