# frozen_string_literal: true

# What a pool has learnt of its callables, and how to have it believe something else.
module LearntCosts
  Workers = Ratomic::Workers
  private_constant :Workers

  def costs(pool = @pool)
    pool.instance_variable_get(:@cell)[:engine].costs
  end

  # Makes the pool believe that each item costs so many nanoseconds, whatever a busy machine has told it. That is good
  # for one dispatch: if the machine holds it up, the pool believes something else afterwards. No other dispatch of the
  # callable may be under way.
  def pretend(key, nanoseconds, pool = @pool)
    believed = costs(pool)
    200.times { believed.learn_waking(50_000) }
    believed.instance_variable_get(:@nanoseconds).delete(key) # a second would stay in the average for long
    Workers::Costs::MIN_STABLE_RUNS.times { believed.learn(key, Workers::WorkEstimate::ITEM_WEIGHT, nanoseconds, 1) }
  end
end
