# frozen_string_literal: true

# For test/stress/*_stress.rb: one short round of each is in the suite, `rake stress` makes them RATOMIC_STRESS times as
# long. All chance comes from minitest's seed, so that `bin/test FILE --seed N` does the same again.
module Stress
  FACTOR = Integer(ENV.fetch("RATOMIC_STRESS", "1"))

  # @param short [Integer] operations, rounds or seconds of the short round
  # @return [Integer] as many as this run asks for
  def stress(short)
    short * FACTOR
  end

  # @param number [Integer] tells the threads and Ractors of one test apart
  # @return [Random]
  def seeded(number = 0)
    Random.new((Stress.seed * 1_000) + number)
  end

  class << self
    # @return [Integer] what `--seed` says, or what minitest took instead
    attr_accessor :seed
  end

  Minitest.extensions << "stress"
  def Minitest.plugin_stress_init(options)
    Stress.seed = options.fetch(:seed)
  end

  # Collects and compacts while others count their steps, up to `all`. A collection stops every Ractor: one right after
  # the other would leave them no time to take any.
  def collect_at_every_step(steps, all)
    until (seen = steps.read) == all
      GC.start(full_mark: false)
      GC.compact
      Thread.pass while steps.read == seen
    end
  end

  # Checks that a pool of two workers has them, runs items, and had no error of its own.
  def assert_pool_good_as_new(pool)
    eventually(20) { pool.stats[:workers][:alive] == 2 }
    doubled = within(20) { pool.dispatch_async((0...100).to_a, WorkerCallables::Double).value }
    assert_equal (0...100).map { |i| i * 2 }, doubled
    eventually(20, "the end of what nobody waits for") { pool.stats[:items][:in_flight].zero? }
    stats = pool.stats
    assert_equal 0, stats[:troubles][:count], stats[:troubles].to_s
  end
end
