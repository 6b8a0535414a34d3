# frozen_string_literal: true

module Ratomic
  module Workers
    # How one dispatch is to be run. Checked once, frozen, shared by all the dispatches that name no option of their
    # own.
    class Options
      DEFAULTS = {
        timeout: nil, item_timeout: nil, retries: 0, min_batch: :auto, context: nil, move: false,
        sequential: false, on_full: :block, queue_timeout: nil, cancel_on_abandon: false, results: :frozen,
        as: nil, run: :auto, around: nil
      }.freeze
      CHOICES = {
        on_full: %i[block raise caller_runs].freeze, results: %i[frozen owned].freeze, run: %i[auto waiter].freeze
      }.freeze
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
      #   runs: when items take far longer than those before he is held up by one or two of them, and what is left, and
      #   the next dispatch, go to the workers. Where that must not be, take `0`, `timeout:` or `item_timeout:`.
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
      # @param as [String, Symbol, nil] a name for what is dispatched ("orders"). What the pool learns of it (its cost,
      #   whether callers may run it) is kept by the name instead of by the callable object: for callables that are made
      #   anew for each dispatch, or one object that does many things. Statistics, events, Prometheus and the live page
      #   tell of it by that name. Of more than {Names::MAX_NAMES} names the rest is counted together.
      # @param around [#call, nil] called with each item, in the place of the callable; it yields where the item is to
      #   run (`def self.call(item) = Tracer.in_span("job") { yield }`): for OpenTelemetry, or with `backend: :thread`
      #   for the executor of Rails. A shareable object, a module or class, or a block of constants. The result is that
      #   of the item. A callable with `call_many` has its items one by one then.
      # @param run [:auto, :waiter] who runs small work: with `:auto` the thread that dispatches it; with `:waiter` the
      #   one that asks for its results first, unless a worker has begun it. That thread asks in {Future#value},
      #   `value!`, `wait`, `indices`, `each` and `each_completed`, but not with `timeout: 0`. The thread that
      #   dispatches computes nothing then: for event loops, reactors and listeners. (A queue that is full with
      #   `on_full: :caller_runs`, and the `:inline` backend, run it at once all the same.) What is small is what
      #   `min_batch:` says. With `results: :owned` workers run all of it.
      # @raise [ArgumentError, TypeError] which names the option, its value and what it may be
      def initialize(given = {})
        DEFAULTS.each { |name, default| instance_variable_set(VARIABLES[name], default) }
        take(given)
      end

      # @param given [Hash, Options] options that were checked before, by a {Stream}, are taken as they are
      # @return [Options] these, with some changed
      def with(given)
        return given if Options === given
        raise TypeError, "options must be keywords, not #{given.inspect}" unless Hash === given

        dup.take(given)
      end

      # Whether the caller may run it itself: nobody has to watch its time, and nothing is handed over.
      def by_caller?
        @by_caller
      end

      # Whether who waits for it may run it himself.
      def by_waiter?
        @by_waiter
      end

      # Whether none of the options matters to a caller that runs the dispatch itself.
      def plain?
        @plain
      end

      # Whether results are not frozen.
      def owned?
        @results == :owned
      end

      # Whether the worker has to record when each item begins.
      def watched?
        !@item_timeout.nil?
      end

      # Whether costs are kept by the callable object, not by a name.
      def unnamed?
        @as.nil? && @around.nil?
      end

      protected

      def take(given)
        given.each do |name, value|
          check(name, value)
          instance_variable_set(VARIABLES[name], own(name, value))
        end
        @by_caller = small? && @run == :auto
        @by_waiter = small? && @run == :waiter && !owned?
        @plain = @by_caller && @min_batch == :auto && @context.nil? && unnamed? && !owned?
        freeze
      end

      private

      # Whether small work may be run by others than workers.
      def small?
        @min_batch != 0 && !(@timeout || @item_timeout || @move)
      end

      def shared(around)
        around && Callable.check(Blocks.share(around, "around:"))
      end

      def own(name, value)
        case name
        when :as then named(value)
        when :around then shared(value)
        else value
        end
      end

      # One String for each name, which all its dispatches share.
      def named(value)
        return if value.nil?

        name = -Settings.text(value)
        raise ArgumentError, "as: is empty, it must be a name" if name.empty?

        Ractor.make_shareable(name)
      end

      def check(name, value)
        case name
        when :timeout, :item_timeout, :queue_timeout then check_seconds(name, value)
        when :retries then check_count(name, value)
        when :min_batch then check_count(name, value) unless value == :auto
        when :on_full, :results, :run then check_choice(name, value, CHOICES[name])
        when :context then check_context(value)
        when :as then check_name(value)
        when :around then nil
        when :move, :sequential, :cancel_on_abandon then nil
        else raise ArgumentError, "unknown option #{name.inspect}, known: #{DEFAULTS.keys.join(", ")}"
        end
      end

      def check_choice(name, value, known)
        return if known.include?(value)

        raise ArgumentError, "#{name}: is #{value.inspect}, it must be one of #{known.inspect}"
      end

      def check_name(value)
        return if value.nil? || String === value || Symbol === value

        raise TypeError, "as: must be a String, a Symbol or nil, not #{value.inspect}"
      end

      def check_context(value)
        return if FrozenCopy.shareable?(value)

        mend = if Remedy.plain?(value) # else there may be an IO or a logger in it, which the program would lose
                 "pass Ractor.make_shareable(context, copy: true)"
               else
                 "pass only the plain data that the items need of it, frozen"
               end
        raise ShareableError, "context: must be shareable, and a part of this #{Reflection.class_name_of(value)} is " \
                              "not: #{UnshareablePart.in(value)}; #{mend}"
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
