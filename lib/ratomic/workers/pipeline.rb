# frozen_string_literal: true

module Ratomic
  module Workers
    # Several callables as one: each gets what the one before returned.
    #
    #   KEEP_PAID = Ratomic::Workers.pipeline(Ratomic::Workers::ParseJSON, Validate, KeepPaid, Project)
    #   future = Ratomic::Workers.dispatch_async(payloads, KEEP_PAID)
    #
    # If a stage returns {DROPPED}, the item has no result, and later stages do not get it; nor do they get a {Failure}
    # that a stage returns. If a stage raises, the item has a Failure, and {Failure#stage} names the stage (not for a
    # frozen exception, nor for an item that ends its thread). A stage with `call_many` gets all remaining items of a
    # chunk in one call, see {Runs}. If there is such a stage, each stage runs for the whole chunk before the next one;
    # else all stages run for one item, then for the next.
    #
    # Frozen, and shareable if all stages are. Make it once and keep it: {#stats} belong to the object, whatever pools
    # run it. If a stage is a pipeline itself, its stages are inserted.
    class Pipeline
      # One item out of this many in a run is timed (a power of two).
      TIMING_SAMPLE_RATE = 8
      private_constant :TIMING_SAMPLE_RATE

      # @return [Array<#call>] frozen
      attr_reader :stages

      # @api private
      # @return [Pipeline, nil] the one that the callable is, or that a {Fold} or an {Around} calls
      def self.in(callable)
        callable = callable.callable while Fold === callable || Around === callable
        callable if Pipeline === callable
      end

      # @param stages [Array<#call>]
      # @raise [ArgumentError, CallableError]
      def initialize(*stages)
        Arguments.no_block(block_given?, "a pipeline", "give a callable for each stage")
        raise ArgumentError, "a pipeline needs a stage" if stages.empty?

        @stages = stages.flat_map { |stage| Pipeline === stage ? stage.stages : [stage] }.freeze
        @stages.each { |stage| Callable.check(stage, "a stage") unless Callable.call?(stage) } # says what is missing
        @stage_metrics = Ractor.make_shareable(@stages.map { |stage| StageMetrics.new(Callable.label(stage)) })
        @runs = @stages.any? { |stage| Runs.takes?(stage) }
        freeze
      end

      # @param item [Object]
      # @return [Object, DROPPED] what the last stage returns
      # @raise what a stage raises
      def call(item)
        @stages.each_with_index do |stage, index|
          started = Clock.nanoseconds
          item = stage.call(item)
          dropped = Vacancy === item
          failed = Failure === item
          @stage_metrics[index].add(1, dropped ? 1 : 0, failed ? 1 : 0, 1, Clock.nanoseconds - started)
          return item if dropped || failed
        rescue Exception => e # rubocop:disable Lint/RescueException -- it is raised again
          @stage_metrics[index].add(1, 0, 1, 1, Clock.nanoseconds - started)
          raise at(index, e)
        end
        item
      end

      # @param items [Array]
      # @return [Array] as for {Runs}
      def call_many(items)
        log = @stages.map { [0, 0, 0, 0] } # dropped, failed, timed, nanoseconds
        results = @runs ? by_stage(items, log) : by_item(items, log)
        count = items.size
        @stage_metrics.each_with_index do |metrics, index|
          metrics.add(count, *log[index])
          count -= log[index][0] + log[index][1]
        end
        results
      end

      # Counts of the stages so far, in all pools of this process. The time is an estimate, because most items are not
      # timed.
      # @return [Array<Hash>] for each stage :stage (its name), :entered, :kept, :dropped, :failed (Integers), :seconds
      #   (Float)
      def stats
        @stage_metrics.map(&:to_h)
      end

      # @api private
      # @return [Array<StageMetrics>] frozen and shareable
      attr_reader :stage_metrics

      def to_s
        @stage_metrics.map(&:name).join(" > ")
      end

      def inspect
        "#<#{self.class} #{self}>"
      end

      private

      # @return [Exception] the error itself, after the name of its stage was noted
      def at(index, error)
        Failure.note_stage(error, @stage_metrics[index].name)
        error
      end

      def by_item(items, log)
        stages = @stages
        items.each_with_index.map do |item, place|
          index = 0
          timed = (place & (TIMING_SAMPLE_RATE - 1)).zero?
          while (stage = stages[index])
            item = timed ? timed(stage, item, log[index]) : stage.call(item)
            break log[index][0] += 1 if Vacancy === item
            break log[index][1] += 1 if Failure === item

            index += 1
          end
          item
        rescue UserException => e
          log[index][1] += 1
          Failure.from(at(index, e), nil)
        end
      end

      def timed(stage, item, log)
        started = Clock.nanoseconds
        stage.call(item)
      ensure
        log[2] += 1
        log[3] += Clock.nanoseconds - started
      end

      def by_stage(items, log)
        results = items.dup
        alive = items.each_index.to_a
        @stages.each_with_index do |stage, index|
          started = Clock.nanoseconds
          run_stage(stage, index, results, alive)
          log[index][2] = alive.size
          log[index][3] = Clock.nanoseconds - started
          alive.reject! do |place|
            case results[place]
            when Vacancy then log[index][0] += 1
            when Failure then log[index][1] += 1
            end
          end
        end
        results
      end

      def run_stage(stage, index, results, alive)
        run = run_of(stage, results.values_at(*alive)) if alive.any? && Runs.takes?(stage)
        alive.each_with_index do |place, number|
          results[place] = run ? run[number] : stage.call(results[place])
        rescue UserException => e
          results[place] = Failure.from(at(index, e), nil)
        end
      end

      # @return [Array, nil] nil if the stage has raised
      def run_of(stage, values)
        Runs.results(stage, values.freeze)
      rescue UserException
        nil
      end

      # The counts of one stage. Shareable.
      class StageMetrics
        # @return [String] of its stage
        attr_reader :name

        def initialize(name)
          @name = name
          @entered, @dropped, @failed, @timed, @nanoseconds = Array.new(5) { Counter.new }
        end

        def add(entered, dropped, failed, timed, nanoseconds)
          return if entered.zero?

          @entered.increment(entered)
          @dropped.increment(dropped) if dropped.positive?
          @failed.increment(failed) if failed.positive?
          @timed.increment(timed)
          @nanoseconds.increment(nanoseconds)
        end

        # @return [Array<Integer>] as for {#add}
        def totals
          [@entered, @dropped, @failed, @timed, @nanoseconds].map(&:value)
        end

        # @return [Hash]
        def to_h
          gone = [@dropped.value, @failed.value]
          entered = @entered.value
          timed = @timed.value
          { stage: name, entered: entered, kept: entered - gone.sum, dropped: gone[0], failed: gone[1],
            seconds: timed.zero? ? 0.0 : @nanoseconds.value / 1e9 / timed * entered }
        end
      end
      private_constant :StageMetrics
    end
  end
end
