# frozen_string_literal: true

require "test_helper"

# Several Ractors grant, revoke and take entries of more keys than there are places, while the heap is collected and
# compacted. However it goes: no entry is used more often than it was granted, none has the limit of another key, and a
# key that was never granted has none.
class CallerRunsCacheStress < Minitest::Test
  KEYS = Array.new(100) { Module.new }.freeze
  STRANGERS = Array.new(100) { Module.new }.freeze
  ROUNDS = 20_000
  RUNNERS = 4

  # What they share, and one of them.
  class Table
    USES = 3
    attr_reader :granted, :taken, :wrong, :steps

    def initialize
      @caller_runs_cache = Ratomic::Workers::CallerRunsCache.new
      @granted, @taken, @wrong, @steps = Array.new(4) { Ratomic::Counter.new }
      Ractor.make_shareable(self)
    end

    def call(random)
      ROUNDS.times do |round|
        grant(random.rand(KEYS.size))
        @caller_runs_cache.revoke(random.rand(KEYS.size)) if random.rand < 0.1
        take(random.rand(KEYS.size))
        @steps.increment if (round % 100).zero?
      end
    end

    private

    # The limit of a key is its number, in items.
    def grant(number)
      @granted.increment(USES)
      @caller_runs_cache.grant(KEYS[number], number, number * Ratomic::Workers::WorkEstimate::ITEM_WEIGHT, USES)
    end

    def take(number)
      @taken.increment if @caller_runs_cache.take(KEYS[number], [].freeze)
      @wrong.increment if @caller_runs_cache.take(KEYS[number], Array.new(number + 1, 0).freeze)
      @wrong.increment if @caller_runs_cache.take(STRANGERS[number], [].freeze)
    end
  end

  def test_entries_are_good_for_their_key_and_their_number_of_uses
    stress(1).times do |round|
      table = Table.new
      runners = Array.new(RUNNERS) { |place| runner(table, seeded((round * RUNNERS) + place).rand(2**32)) }
      within(120) { collect_at_every_step(table.steps, RUNNERS * ROUNDS / 100) } if Ratomic::RACTORS
      runners.each(&:join)
      assert_equal 0, table.wrong.value
      assert_operator table.taken.value, :>, ROUNDS / 100
      assert_operator table.taken.value, :<=, table.granted.value
    end
  end

  private

  def runner(table, seed)
    return Thread.new { table.call(Random.new(seed)) } unless Ratomic::RACTORS

    Ractor.new(table, seed) { |shared, number| shared.call(Random.new(number)) }
  end
end
