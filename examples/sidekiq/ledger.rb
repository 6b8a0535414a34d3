# frozen_string_literal: true

# What has become of the jobs, in Redis. Sidekiq runs a job at least once; a result is counted once, by the job's id.
module Ledger
  BEGUN = "ledger:begun"     # a set of job ids
  DONE = "ledger:done"       # the result by job id
  REPEATED = "ledger:repeated" # how often a job was done again
  FIGURES = "ledger:figures" # a list, of each process

  # @param jid [String]
  # @return [void]
  def self.begun(jid)
    Sidekiq.redis { |redis| redis.sadd(BEGUN, [jid]) }
  end

  # Keeps the first result of a job. One command, so it is whole or not there wherever the process ends.
  # @return [Boolean] whether it was the first
  def self.done(jid, result)
    Sidekiq.redis do |redis|
      first = redis.hsetnx(DONE, jid, result)
      redis.incr(REPEATED) unless first
      first
    end
  end

  # @return [Array<String>] job ids
  def self.all_begun
    Sidekiq.redis { |redis| redis.smembers(BEGUN) }
  end

  # @return [Hash{String => String}] results by job id
  def self.results
    Sidekiq.redis { |redis| redis.hgetall(DONE) }
  end

  # @return [Integer]
  def self.repeated
    Sidekiq.redis { |redis| redis.get(REPEATED) }.to_i
  end

  # @param text [String] what a process has to say at its end
  # @return [void]
  def self.report(text)
    Sidekiq.redis { |redis| redis.rpush(FIGURES, text) }
  end

  # @return [String, nil] of the process that has ended
  def self.take_report
    Sidekiq.redis { |redis| redis.lpop(FIGURES) }
  end
end
