# frozen_string_literal: true

# What a pool has learnt of its callables, and how to have it believe something else.
module LearntCosts
  Workers = Ratomic::Workers
  private_constant :Workers

  def costs(pool = @pool)
    pool.instance_variable_get(:@cell)[:engine].costs
  end

  # Makes the pool believe that each item costs so many nanoseconds, whatever a busy machine has told it.
  def pretend(key, nanoseconds, pool = @pool)
    200.times { costs(pool).learn_waking(50_000) }
    40.times { costs(pool).learn(key, Workers::WorkEstimate::ITEM_WEIGHT, nanoseconds, 1) }
  end
end
