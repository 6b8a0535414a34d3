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

      # @param timeout [Numeric, nil] seconds from the dispatch on; then each item without a result gets a Failure
      # @param item_timeout [Numeric, nil] seconds that one item may run
      # @param retries [Integer] how often an item is run again that has ended its thread or its worker (`Thread.exit`,
      #   a kill). An item that raises is not run again: the callable itself has to retry after a temporary error (a
      #   lost connection). Neither is an item that ran longer than `item_timeout:`, or that was moved.
      # @param min_batch [Integer, :auto] the caller runs smaller dispatches itself, after workers have run this
      #   callable object several times and it was quick. `0` means never, `:auto` by measured cost. Items in the
      #   caller's thread are not interrupted. If they take far longer than earlier ones, the caller waits for one or
      #   two of them, and workers run the rest and the next dispatch. To exclude that, use `0`, `timeout:` or
      #   `item_timeout:`. With `:auto` also a dispatch of up to a second is run outside of the workers if that
      #   was measured to be faster: by the thread that asks for its results ({Deferral}).
      # @param context [Object, nil] an item reads it with `Workers.context`, and every event has it; must be shareable.
      #   (Do not use `Thread.current[:x]`, thread variables or `Fiber[]` for that: in a worker later items of any
      #   dispatch see them, and from a caller's thread they are removed.) Where a Fiber scheduler runs, callers leave a
      #   dispatch with a context to the workers: an item that waits would let other Fibers of its thread see it.
      # @param move [Boolean] hand the items over instead of sharing or copying them
      # @param sequential [Boolean] run all items in one worker, one after another in their order
      # @param on_full [:block, :raise, :caller_runs] what a dispatch does when `max_queue` dispatches wait already
      # @param queue_timeout [Numeric, nil] seconds that `on_full: :block` waits before it raises QueueFullError
      # @param cancel_on_abandon [Boolean] cancel the dispatch, as {Future#cancel} does, when a thread that waits for it
      #   is ended and no other thread waits for it. A thread waits in {Future#value}, `value!`, `wait`, `each` and
      #   `each_completed`, also in the blocks of the last two. `Thread#kill` or any exception (`Thread#raise`,
      #   `Timeout.timeout`, Ctrl-C, one raised in the block) ends it. The `timeout:` of these methods does not count,
      #   since the thread can wait again, and neither does `break`. A thread that has not begun to wait does not count
      #   either.
      # @param results [:frozen, :owned] frozen results are shared and can be read any number of times. Owned results
      #   are the caller's own: they are not frozen, and can be any object that a Ractor may own (also a StringIO, a
      #   Set, an object with a Mutex). They are handed over once, to the thread and Ractor that ask first; a second
      #   call raises {TakenError}. See {OwnedFuture}.
      # @param as [String, Symbol, nil] a name for the work ("orders"). The pool keeps by this name what it learns (the
      #   cost, whether callers may run it), instead of by the callable object. Use it for callables that are made for
      #   each dispatch, or for one object that does different work. Statistics, events, Prometheus and the live page
      #   show the name. Names beyond {Names::MAX_NAMES} are counted together.
      # @param around [#call, nil] called with each item instead of the callable; its `yield` runs the item (`def
      #   self.call(item) = Tracer.in_span("job") { yield }`). It is for OpenTelemetry, or with `backend: :thread` for
      #   the executor of Rails. It is a shareable object, a module or class, or a block that uses only constants. The
      #   result is that of the item. The items of a callable with `call_many` then run one by one.
      # @param run [:auto, :waiter] which thread runs small work: with `:auto` the thread that dispatches it; with
      #   `:waiter` the first thread that asks for its results, unless a worker has begun it. It asks in {Future#value},
      #   `value!`, `wait`, `indices`, `each` and `each_completed`, but not with `timeout: 0`. With `:waiter` the
      #   dispatching thread computes nothing, which suits event loops, reactors and listeners. (If the queue is full
      #   and `on_full:` is `:caller_runs`, and with the `:inline` backend, it runs the items all the same.)
      #   `min_batch:` says what is small. With `results: :owned` workers run everything.
      # @raise [ArgumentError, TypeError] which names the option, its value and the values that are allowed
      def initialize(given = {})
        DEFAULTS.each { |name, default| instance_variable_set(VARIABLES[name], default) }
        take(given)
      end

      # @param given [Object] what was given as the last argument, where keywords are expected
      # @return [Hash]
      # @raise [TypeError]
      def self.keywords(given)
        return given if Hash === given

        raise TypeError, "options must be keywords, not #{Arguments.shown(given)}"
      end

      # @param names [Array<Symbol>]
      # @raise [ArgumentError]
      def self.check_names(names)
        names.each { |name| raise ArgumentError, UnknownOption.message(name, DEFAULTS.keys) unless DEFAULTS.key?(name) }
      end

      # @param given [Hash, Options] Options are not checked again: a {Stream} has checked them
      # @return [Options] these, with some changed
      def with(given)
        return given if Options === given

        dup.take(Options.keywords(given))
      end

      # Whether the caller may run the dispatch itself: it has no time limit that somebody has to enforce, and moves
      # nothing.
      def by_caller?
        @by_caller
      end

      # Whether the thread that waits for the dispatch may run it.
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
        given.each { |name, value| instance_variable_set(VARIABLES[name], checked(name, value)) }
        @by_caller = small? && @run == :auto
        @by_waiter = small? && @run == :waiter && !owned?
        @plain = @by_caller && @min_batch == :auto && @context.nil? && unnamed? && !owned?
        freeze
      end

      private

      # Whether another thread than a worker may run small work.
      def small?
        @min_batch != 0 && !(@timeout || @item_timeout || @move)
      end

      def shared(around)
        around && Callable.check(Blocks.share(around, "around:"), "around:")
      end

      # @return [Object] what is kept of the value, shareable
      def checked(name, value)
        case name
        when :timeout, :item_timeout, :queue_timeout then Arguments.seconds(name, value)
        when :retries then Arguments.integer(name, value, 0..)
        when :min_batch then Arguments.integer_or_auto(name, value, 0..)
        when :on_full, :results, :run then Arguments.choice(name, value, CHOICES[name])
        when :context then shareable(value)
        when :as then named(value)
        when :around then shared(value)
        else flag(name, value)
        end
      end

      # @return [Boolean] not the object itself, which may not be shareable
      def flag(name, value)
        Options.check_names([name])
        !!value
      end

      # Returns the same String for all dispatches of a name.
      def named(value)
        case value
        when nil then return
        when String, Symbol then nil
        else raise TypeError, "as: must be a String, a Symbol or nil, not #{Arguments.shown(value)}"
        end
        name = -Settings.text(value)
        raise ArgumentError, "as: is empty, it must be a name" if name.empty?

        Ractor.make_shareable(name)
      end

      def shareable(value)
        return value if FrozenCopy.shareable?(value)

        advice = if Remedy.plain?(value) # else there may be an IO or a logger in it, which the program would lose
                   "pass Ractor.make_shareable(context, copy: true)"
                 else
                   "pass only the plain data that the items need of it, frozen"
                 end
        part = UnshareablePart.in(value)
        kind = Reflection.class_name_of(value)
        whole = part.path.empty? && part.unfrozen?
        reason = whole ? "this #{kind} is not frozen" : "a part of this #{kind} is not: #{part}"
        raise ShareableError, "context: must be shareable, and #{reason}; #{advice}"
      end
    end
  end
end
