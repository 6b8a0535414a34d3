# frozen_string_literal: true

module WorkersBench
  # What a dispatch itself costs: one item that does nothing.
  class Dispatching
    ONE = [1].freeze
    BURST = 2000
    SINGLE = 2000

    def initialize(bench)
      @bench = bench
      @talk = TalkPool.new(Etc.nprocessors)
      @pool = Ratomic::Workers::Pool.new(size: Etc.nprocessors, min_batch: 0).start
    end

    def run
      latency
      rate
      moved
      fairness
      adaptive
    ensure
      @talk.shutdown
      @pool.shutdown
    end

    private

    def latency
      @bench.title "One item there and back (median microseconds)"
      medians = @bench.compare({ "the talk's pool" => lambda {
                                                        median_of do
                                                          @talk.dispatch_async(ONE, Load::Nothing).value
                                                        end
                                                      },
                                 "Ratomic::Workers" => lambda {
                                                         median_of do
                                                           @pool.dispatch_async(ONE, Load::Nothing).value
                                                         end
                                                       } })
      medians.each { |name, value| @bench.show("#{name}, one item", value, "us") }
      @bench.ask("latency of one item / the talk's pool", @bench.share("Ratomic::Workers", of: "the talk's pool"),
                 at_most: 0.2)
    end

    def rate
      @bench.title "Dispatches of one item a second, #{BURST} at once"
      rates = @bench.compare({ "the talk's pool" => -> { burst(@talk) }, "Ratomic::Workers" => -> { burst(@pool) } })
      rates.each { |name, value| @bench.show("#{name}, dispatches", value, "/s") }
      @bench.ask("dispatches a second / the talk's pool", @bench.share("Ratomic::Workers", of: "the talk's pool"),
                 at_least: 10)
    end

    def burst(pool)
      started = WorkersBench.now
      Array.new(BURST) { pool.dispatch_async(ONE, Load::Nothing) }.each(&:value)
      BURST / (WorkersBench.now - started)
    end

    def moved
      @bench.title "One mutable item, moved (median microseconds)"
      medians = @bench.compare(
        { "the talk's pool" => -> { median_of { @talk.dispatch_async([+"text"], Load::Nothing).value } },
          "Ratomic::Workers, move: true" => lambda {
                                              median_of do
                                                @pool.dispatch_async([+"text"], Load::Nothing, move: true).value
                                              end
                                            } }
      )
      medians.each { |name, value| @bench.show("#{name}, moved", value, "us") }
      @bench.ask("moved items / the talk's pool",
                 @bench.share("Ratomic::Workers, move: true", of: "the talk's pool"), at_most: 1.2)
    end

    # Seven threads with small dispatches, alone and beside one with giant ones.
    def fairness
      Load::Spin.calibrate
      @bench.title "Small dispatches (10 items of 20 microseconds) from 7 threads: p99"
      worst = @bench.compare({ "alone" => -> { p99_of_small }, "beside giant ones" => lambda {
                                                                                        beside_giant do
                                                                                          p99_of_small
                                                                                        end
                                                                                      } }, rounds: 3)
      worst.each { |name, value| @bench.show("small dispatches #{name}, p99", value, "us") }
      @bench.ask("p99 beside giant dispatches / alone", worst["beside giant ones"] / worst["alone"], at_most: 3)
    end

    def p99_of_small
      small = ([20] * 10).freeze
      times = Array.new(7) do
        Thread.new do
          Array.new(150) do
            microseconds do
              @pool.dispatch_async(small, Load::Spin).value
            end
          end
        end
      end
      WorkersBench.percentile(times.flat_map(&:value), 0.99)
    end

    def beside_giant
      stop = false
      giant = ([20] * 20_000).freeze
      thread = Thread.new { @pool.dispatch_async(giant, Load::Spin).value until stop }
      yield
    ensure
      stop = true
      thread.join
    end

    # With the default min_batch: :auto one small item is run by the caller.
    def adaptive
      pool = Ratomic::Workers::Pool.new(size: Etc.nprocessors)
      20.times { pool.dispatch_async(ONE, Load::Nothing).value }
      @bench.title "One item with min_batch: :auto, once the callable is known"
      @bench.show("one item, run by the caller", median_of { pool.dispatch_async(ONE, Load::Nothing).value }, "us")
    ensure
      pool.shutdown
    end

    def median_of(&block)
      WorkersBench.median(Array.new(SINGLE) { microseconds(&block) })
    end

    def microseconds
      started = WorkersBench.now
      yield
      (WorkersBench.now - started) * 1e6
    end
  end
end
