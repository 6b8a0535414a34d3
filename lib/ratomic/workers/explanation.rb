# frozen_string_literal: true

module Ratomic
  module Workers
    # Says what a dispatch would do, without doing it: which items would be shared, copied or refused, why a worker
    # cannot run the callable, and whether workers would be faster than the caller.
    class Explanation
      # The default of `try:`. It is not nil, because nil can be an item.
      UNTRIED = Object.new.freeze

      # At most this many refused items are named.
      MAX_NAMED = 5

      # @param engine [Engine]
      # @param results [:frozen, :owned]
      # @param as [String, nil] see {Options#initialize}
      # @param tried [Hash, nil] the outcome of a call with a sample
      def initialize(engine, items, callable, results, as, tried)
        @engine = engine
        @items = Source.list(items)
        @callable = callable
        @results = results
        @key = Callable.key(callable, as)
        @fallback_keys = [Fallback.key(callable, as), Fallback.key(callable)]
        @tried = tried
      end

      # @return [Hash{Symbol => Object}] :callable, :items, :results; :estimate, in which :seconds_by_waiter,
      #   :seconds_by_workers and :by_waiter are nil until both ways were measured; of a pipeline :stages, see
      #   {Pipeline#stats}; in worker processes :process, how the callable gets there (:way is :copied or :forked); of a
      #   pool with `fallback:` :fallback, with :backend, :used (whether its dispatches go there at once) and :why; with
      #   `try:` :try, see {Pool#explain}
      def to_h
        @to_h ||= { callable: callable, items: items, estimate: estimate, results: results, **stages, **process,
                    **fallback, **tried }
      end

      # @return [Boolean] whether nothing stands in the way
      def ok?
        to_h[:callable][:refused].nil? && to_h[:callable][:findings].empty? && to_h[:items][:refused].zero? &&
          (@tried.nil? || %i[returned dropped].include?(@tried[:outcome]))
      end

      # @return [String] for people
      def to_s
        unseen = Stats::UNSEEN if Stats.unseen?(@engine.backend)
        [*callable_lines, *fallback_line, *process_lines, *stage_lines, *item_lines, *estimate_lines, result_line,
         *try_line, *unseen].join("\n")
      end

      def inspect
        "#<#{self.class}\n#{self}>"
      end

      private

      def callable
        refused = refusal
        { name: name, as: (@key if String === @key), shareable: Ractor.shareable?(@callable), refused: refused,
          findings: findings.map(&:to_h) }
      end

      def findings
        @engine.backend.findings(@callable)
      end

      def refusal
        admitted = @engine.admit(@callable)
        RactorLocalRefs.take(admitted) if RactorLocalRefs::Ref === admitted
        nil
      rescue CallableError => e
        e.message
      end

      def name
        return @callable.to_s if Pipeline === @callable || PerWorker === @callable

        Reflection.name_of(Module === @callable ? @callable : Reflection.class_of(@callable))
      end

      def items
        packed = Transfer.pack(@items)
        shared = @items.zip(packed).count { |item, sent| sent.equal?(item) }
        refused = packed.grep(Transfer::Refused).map { |item| item.failure.to_s }
        { count: @items.size, shared: shared, copied: @items.size - shared - refused.size, refused: refused.size,
          reasons: refused.first(MAX_NAMED), bytes: @items.sum { |item| String === item ? item.bytesize : 0 } }
      end

      def estimate
        cost = @engine.costs.of(@key)
        weight = WorkEstimate.of(@items)
        waking = @engine.costs.waking / 1e9
        alone = cost && (weight * cost / 1e9)
        together = alone && (waking + (alone * (1 - @engine.gain)))
        { measured: !cost.nil?, workers: @engine.size, parallel: @engine.parallel, seconds_alone: alone,
          seconds_in_pool: together, pays: alone && together < alone, pays_from: waking / [@engine.gain, 0.01].max,
          **both_ways }
      end

      # What was measured of larger dispatches, see {Deferral}.
      def both_ways
        chooser = @engine.costs.deferral_chooser(@results == :owned)
        times = chooser.times(@key) if Deferral.suits?(@engine, @items, @key)
        by_waiter, by_workers = times&.map { |nanoseconds| nanoseconds * WorkEstimate.of(@items) / 1e9 }
        { seconds_by_waiter: by_waiter, seconds_by_workers: by_workers,
          by_waiter: times && chooser.caller_first?(*times) }
      end

      def results
        WayHome.new(@engine, @items, @key, @results).to_h
      end

      def result_line
        found = to_h[:results]
        "results: #{found.values_at(:mode, :way).uniq.join(", ").tr("_", " ")}: #{found[:why]}"
      end

      def callable_lines
        found = to_h[:callable]
        ["callable #{found[:name]}#{" as #{found[:as]}" if found[:as]}: #{found[:refused] || "shareable"}"] +
          found[:findings].map { |finding| "  in the way: #{finding[:kind]} #{finding[:name]} #{finding[:reason]}" }
      end

      def tried
        @tried ? { try: @tried } : {}
      end

      def try_line
        return unless @tried

        what = [@tried[:result] && "a #{@tried[:result]}", @tried[:failure]].compact
        way = @tried[:remedy] && " (#{Remedy.with_row(@tried[:remedy])})"
        "tried: #{[@tried[:outcome], *what].join(": ")} in #{milliseconds(@tried[:seconds])}#{way}"
      end

      def fallback
        return {} unless (backend = @engine.settings.fallback)

        why = @engine.fallback&.reason(*@fallback_keys)
        { fallback: { backend: backend, used: !why.nil?, why: why || why_not(backend) }.freeze }
      end

      def why_not(backend)
        return "without effect: the workers of this pool are not Ractors" unless @engine.fallback

        "what fails because it runs in a Ractor is run again in #{Backend.of(backend).place}"
      end

      def fallback_line
        (found = to_h[:fallback]) && "fallback: #{found[:backend]}#{", used" if found[:used]}: #{found[:why]}"
      end

      def stages
        Pipeline === @callable ? { stages: @callable.stats } : {}
      end

      def process
        @engine.settings.kind.advice(@callable)
      end

      def process_lines
        (found = to_h[:process]) ? Processes::Advice.lines(found) : []
      end

      def stage_lines
        to_h.fetch(:stages, []).map do |stage|
          each = stage[:entered].zero? ? "not run yet" : "#{milliseconds(stage[:seconds] / stage[:entered])} each"
          "  stage #{stage[:stage]}: #{each}; of #{stage[:entered]} items #{stage[:kept]} kept, " \
            "#{stage[:dropped]} dropped, #{stage[:failed]} failed"
        end
      end

      def item_lines
        found = to_h[:items]
        ["#{found[:count]} items (#{found[:bytes]} bytes of text): #{found[:shared]} shared, " \
         "#{found[:copied]} copied, #{found[:refused]} refused"] + found[:reasons].map { |reason| "  #{reason}" }
      end

      def estimate_lines
        found = to_h[:estimate]
        unless found[:measured]
          return ["not measured yet: the pool pays for dispatches that take longer than " \
                  "#{milliseconds(found[:pays_from])} alone"]
        end

        ["estimate: #{milliseconds(found[:seconds_alone])} alone, #{milliseconds(found[:seconds_in_pool])} with " \
         "#{found[:parallel]} workers at once; #{found[:pays] ? "the pool pays" : "the pool does not pay"}",
         *measured_line(*found.values_at(:seconds_by_waiter, :seconds_by_workers, :by_waiter))]
      end

      def measured_line(by_waiter, by_workers, waiter)
        return unless by_waiter

        who = waiter ? "that thread runs it" : "they run it"
        "measured: #{milliseconds(by_waiter)} by the thread that asks for the results, #{milliseconds(by_workers)} " \
          "by the workers, results brought home; #{who}"
      end

      def milliseconds(seconds)
        format("%.3f ms", seconds * 1000)
      end
    end
  end
end
