# frozen_string_literal: true

require_relative "cell"

module WorkersBench
  # Adaptive dispatch against a plain `map`, over what items cost and how many there are.
  #
  # A round goes through all cells, in shuffled order: the machine may have one processor instead of two for some
  # seconds, and that is not to be all that is seen of a cell.
  class Grid
    COSTS = [1, 10, 100, 1000, 10_000].freeze # microseconds
    COUNTS = [1, 10, 50, 100, 1000, 10_000].freeze
    # Microseconds that a cell may take at most, alone.
    LONGEST = 250_000
    # What two forked processes have to reach for the machine to count as one of two processors. It is measured right
    # after what depends on it, in each round.
    FORKS = 1.7
    # So many times the rounds of other comparisons: a cell is to be within a few per cent.
    ROUNDS = 3

    def initialize(bench)
      @bench = bench
      @pool = Ratomic::Workers::Pool.new(size: Etc.nprocessors)
      Load::Spin.calibrate
      cells = COSTS.product(COUNTS).select { |cost, count| cost * count <= LONGEST || count == 1 }
      @cells = cells.map { |cost, count| Cell.new(@pool, cost, count) }
      @gains = Hash.new { |all, cell| all[cell] = Hash.new { |ways, way| ways[way] = [] } }
    end

    def run
      rounds = @bench.rounds * ROUNDS
      @bench.title "min_batch: :auto against map: speed-up by cost of an item and number of items (#{rounds} rounds)"
      2.times { @cells.each { |cell| @bench.speed_up(-> { cell.pool }, over: -> { cell.map }) } }
      rounds.times { @cells.shuffle.each { |cell| compare(cell) } }
      judge(@cells.to_h { |cell| [cell, show(cell)] })
    ensure
      @pool.shutdown
    end

    private

    def compare(cell)
      gain(cell, :pool)
      gain(cell, :bare) if cell.tiny?
      return unless cell.large?

      gain(cell, :forks)
      cell.pool # what is written to first after a fork has to be copied: not in what is measured next
    end

    def gain(cell, way)
      @gains[cell][way] << @bench.speed_up(-> { cell.public_send(way) }, over: -> { cell.map })
    end

    # @return [Float] median of the gains
    def show(cell)
      medians = @gains[cell].transform_values { |gains| WorkersBench.median(gains).round(2) }
      beside = [*("(a bare future #{medians[:bare]}x)" if cell.tiny?),
                *("(two forked processes #{medians[:forks]}x)" if cell.large?)]
      @bench.show([cell.name, *beside].join(" "), medians[:pool], "x")
      medians[:pool]
    end

    def judge(reached)
      @bench.ask("the worst cell", reached.values.min, at_least: 0.95)
      @bench.ask("the worst cell of 10 us of work and more", reached.reject { |cell, _| cell.work < 10 }.values.min,
                 at_least: 0.95)
      @cells.select(&:large?).each { |cell| judge_large(cell) }
    end

    # Only the rounds count in which there were two processors.
    def judge_large(cell)
      gains = @gains[cell].values_at(:pool, :forks).transpose.filter_map { |pool, forks| pool if forks >= FORKS }
      what = "#{cell.name} where two forked processes reach #{FORKS}x (#{gains.size} rounds)"
      return puts "  not judged: #{what}" if gains.empty?

      @bench.ask(what, WorkersBench.median(gains), at_least: 1.5)
    end
  end
end
