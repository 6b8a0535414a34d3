# frozen_string_literal: true

module Ratomic
  module Workers
    # How one dispatch is to be run. Checked once, frozen, shared by all the dispatches that name no option of their
    # own.
    class Options
      DEFAULTS = {
        timeout: nil, item_timeout: nil, retries: 0, min_batch: :auto, context: nil, move: false,
        sequential: false, on_full: :block, queue_timeout: nil, cancel_on_abandon: false, results: :frozen
      }.freeze
      ON_FULL = %i[block raise caller_runs].freeze
      RESULTS = %i[frozen owned].freeze
      VARIABLES = DEFAULTS.to_h { |name, _| [name, :"@#{name}"] }.freeze
      private_constant :VARIABLES

      attr_reader(*DEFAULTS.keys)

      # @param timeout [Numeric, nil] seconds from the dispatch until what has no result yet becomes a Failure
      # @param item_timeout [Numeric, nil] seconds that one item may run
      # @param retries [Integer] how often an item is run again that has ended its thread or its worker (`Thread.exit`,
      #   a kill). Not one that raises: that is its Failure, at once; what may pass (a connection that was lost) is to
      #   be tried again in the callable. Nor one that ran longer than `item_timeout:`, or was moved
      # @param min_batch [Integer, :auto] smaller dispatches are run by the caller, once workers have run this callable
      #   object some times and it was quick; `0` never, `:auto` by measured cost. Nobody interrupts what the caller
      #   runs: an item that takes far longer than those before holds up that one dispatch, and the next goes to the
      #   workers. Where that must not be, take `0`, `timeout:` or `item_timeout:`.
      # @param context [Object, nil] there in the worker as `Workers.context` and in every event; must be shareable.
      #   What an item leaves on its thread instead (`Thread.current[:x]`, thread variables, `Fiber[]`) later items in
      #   that worker see, of any dispatch; from a caller's thread it is taken away.
      # @param move [Boolean] hand the items over instead of sharing or copying them
      # @param sequential [Boolean] run all items in one worker, one after another in their order
      # @param on_full [:block, :raise, :caller_runs] what a dispatch does when `max_queue` dispatches wait already
      # @param queue_timeout [Numeric, nil] seconds that `on_full: :block` waits before it raises QueueFullError
      # @param cancel_on_abandon [Boolean] cancel the dispatch, as {Future#cancel} does, when a thread that waits for it
      #   is ended there and no other thread waits for it. It waits in {Future#value}, `value!`, `wait`, `each` and
      #   `each_completed`, the blocks of the last two included; it is ended by `Thread#kill` or any exception
      #   (`Thread#raise`, `Timeout.timeout`, Ctrl-C, one raised in the block). Not by the `timeout:` of these methods,
      #   after which the future is still good, nor by `break`; and a thread that does not wait yet is not known.
      # @param results [:frozen, :owned] frozen ones are shared and can be read any number of times. Owned ones are the
      #   caller's own: not frozen, whatever they are that a Ractor may own (also a StringIO, a Set, an object with a
      #   Mutex), and handed over once, to the thread and Ractor that ask first; after that {TakenError}. See
      #   {OwnedFuture}.
      # @raise [ArgumentError, TypeError] which names the option, its value and what it may be
      def initialize(given = {})
        DEFAULTS.each { |name, default| instance_variable_set(VARIABLES[name], default) }
        take(given)
      end

      # @param given [Hash]
      # @return [Options] these, with some changed
      def with(given)
        raise TypeError, "options must be keywords, not #{given.inspect}" unless Hash === given

        dup.take(given)
      end

      # Whether the caller may run it itself: nobody has to watch its time, and nothing is handed over.
      def by_caller?
        @by_caller
      end

      # Whether there is nothing to heed for a caller who runs it itself.
      def plain?
        @plain
      end

      # Whether results are not frozen.
      def owned?
        @results == :owned
      end

      # Whether the worker has to keep more books than for a plain run.
      def watched?
        !@item_timeout.nil?
      end

      protected

      def take(given)
        given.each do |name, value|
          check(name, value)
          instance_variable_set(VARIABLES[name], value)
        end
        @by_caller = @min_batch != 0 && !(@timeout || @item_timeout || @move)
        @plain = @by_caller && @min_batch == :auto && @context.nil? && !owned?
        freeze
      end

      private

      def check(name, value)
        case name
        when :timeout, :item_timeout, :queue_timeout then check_seconds(name, value)
        when :retries then check_count(name, value)
        when :min_batch then check_count(name, value) unless value == :auto
        when :on_full then check_choice(name, value, ON_FULL)
        when :results then check_choice(name, value, RESULTS)
        when :context then check_context(value)
        when :move, :sequential, :cancel_on_abandon then nil
        else raise ArgumentError, "unknown option #{name.inspect}, known: #{DEFAULTS.keys.join(", ")}"
        end
      end

      def check_choice(name, value, known)
        return if known.include?(value)

        raise ArgumentError, "#{name}: is #{value.inspect}, it must be one of #{known.inspect}"
      end

      def check_context(value)
        return if FrozenCopy.shareable?(value)

        mend = if Remedy.plain?(value) # else there may be an IO or a logger in it, which the program would lose
                 "pass Ractor.make_shareable(context, copy: true)"
               else
                 "pass only the plain data that the items need of it, frozen"
               end
        raise ShareableError, "context: must be shareable, and a part of this #{Reflection.class_name_of(value)} is " \
                              "not: #{Obstacle.in(value)}; #{mend}"
      end

      def check_seconds(name, value)
        return if value.nil?
        raise TypeError, "#{name}: must be seconds as a number or nil, not #{value.inspect}" unless value.is_a?(Numeric)
        return if value.real? && value >= 0

        raise ArgumentError, "#{name}: is #{value}, it must be 0 or more seconds"
      end

      def check_count(name, value)
        raise TypeError, "#{name}: must be an Integer, not #{value.inspect}" unless value.is_a?(Integer)
        raise ArgumentError, "#{name}: is #{value}, it must be 0 or more" if value.negative?
      end
    end
  end
end
