# frozen_string_literal: true

# Pools of workers that are killed when the test has ended.
module WorkerPools
  def setup
    @pools = []
  end

  def teardown
    @pools.each(&:kill)
  end

  def new_pool(**options)
    Ratomic::Workers::Pool.new(size: 2, min_batch: 0, **options).tap { |pool| @pools << pool }
  end
end
