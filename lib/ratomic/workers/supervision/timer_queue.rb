# frozen_string_literal: true

module Ratomic
  module Workers
    # The tasks that the coordinator has to do later, in order of time. The coordinator waits here for a message or for
    # the time of the first task, whichever comes first. Only the coordinator's thread calls it.
    #
    # If the mailbox takes no timeout (a port of Ruby 4.0), a {TimerThread} sleeps instead of the coordinator and sends
    # a :tick when a task is due. The thread starts with the first task. A coordinator in another Ractor than the main
    # one uses the thread on every Ruby: the VM's timer ends a wait with a timeout there, and in a snapshot of Ruby 4.1
    # the timer hung when the Ractor ended in that moment, and with it all waits of the process.
    #
    # Where Ruby can make no thread for the timer, the coordinator itself sleeps, for a moment each time, and asks for
    # the thread again: the start of a worker that had no room may be what it has to do later.
    class TimerQueue
      TICK = [:tick].freeze
      # The longest wait in seconds. Ruby raises for some that are longer.
      MAX_WAIT_S = 3600
      # The longest sleep of the coordinator where there is no thread for the timer. Messages wait so long, and so does
      # a fork (see {ForkHook}).
      MAX_SLEEP_S = 0.02
      Entry = Struct.new(:at, :what, :details, :ticket, :batch)
      # Whether WeakMap works. Before Ruby 3.3 (which brought WeakMap#delete) it confuses objects that had the same
      # address one after the other, and a deadline could be lost.
      WEAK = ObjectSpace::WeakMap.method_defined?(:delete)

      # @param mailbox [Mailbox] of the coordinator
      # @yieldparam error [ThreadError] for which the coordinator has no timer; once, until it has one
      def initialize(mailbox, &no_timer)
        @mailbox = mailbox
        @no_timer = no_timer
        @timed = (!RACTORS || Ractor.main?) && mailbox.method(:receive).parameters.include?(%i[key timeout])
        @entries = []
        @ticking = false
        @batches = ObjectSpace::WeakMap.new
        @sweep_at = 64
      end

      # Called when the coordinator's thread begins. It may replace a thread that was ended after it had taken a TICK.
      def restart
        @ticking = false
      end

      # Waits for a message.
      # @return [Object] the message; TICK when an entry is due
      def receive
        doze unless @timed
        return @mailbox.receive if !@timed || @ticking || @entries.empty?

        left = Clock.left(@entries[0].at)
        return @mailbox.receive(timeout: [left, MAX_WAIT_S].min) || TICK if left.positive?

        # The tick goes to the end of the mailbox: messages that are in it already are handled before the due entry
        # (they may be the results that it waits for), later ones after it.
        return TICK unless send_tick

        @ticking = true
        @mailbox.receive
      end

      # @param at [Float] monotonic seconds
      # @param what [Symbol]
      def add(at, what, *details)
        insert(Entry.new(at, what, details, nil))
      end

      # As {#add}, for an entry that is void when the batch is done. The entry refers to the batch weakly (where Ruby
      # can): a deadline must not keep results alive that no caller waits for.
      def add_for(batch, at, what)
        sweep if @entries.size >= @sweep_at
        @batches[batch.ticket] = batch if WEAK
        insert(Entry.new(at, what, [], batch.ticket, WEAK ? nil : batch))
      end

      # Takes the entries that are due.
      # @return [Array<Array>] [what, *details], the earliest first
      def take_due
        @ticking = false
        now = Clock.now
        due = @entries.shift(@entries.bsearch_index { |entry| entry.at > now } || @entries.size)
        wake(@entries[0].at) if @entries.any?
        due.filter_map do |entry|
          next [entry.what, *entry.details] unless entry.ticket

          (batch = batch_of(entry)) && [entry.what, batch]
        end
      end

      # Removes entries of that kind.
      # @param what [Array<Symbol>]
      # @yieldparam details [Array] of each
      def take(*what)
        taken, @entries = @entries.partition { |entry| what.include?(entry.what) }
        taken.each { |entry| yield entry.details }
      end

      def close
        @timer_thread&.close
      end

      private

      def insert(entry)
        place = @entries.bsearch_index { |other| other.at > entry.at } || @entries.size
        @entries.insert(place, entry)
        wake(entry.at) if place.zero?
      end

      # @return [Boolean] false if the mailbox is full
      def send_tick
        return @mailbox.try_send(TICK) if Mailbox::QueueMailbox === @mailbox

        @mailbox.send(TICK)
        true
      end

      # @return [Batch, nil] nil when it is done
      def batch_of(entry)
        batch = entry.batch || @batches[entry.ticket]
        batch unless batch.nil? || batch.completion.complete?
      end

      # Removes entries of batches that are done: distant deadlines would pile up, one for each dispatch.
      def sweep
        @entries.reject! { |entry| entry.ticket && batch_of(entry).nil? }
        @sweep_at = [@entries.size * 2, 64].max
      end

      # Sleeps in the place of a timer that cannot be made. The tick after the sleep ends the wait for a message: what
      # is due by then is taken, and the timer is tried again. (The sleep is a wait for a completion that nobody fills,
      # because CRuby 4.0 can deadlock when a timed sleep in a Ractor is interrupted.)
      def doze
        return if @ticking || @entries.empty? || timer? || wake(@entries[0].at)

        Completion.new(1).wait([Clock.left(@entries[0].at), MAX_SLEEP_S].min)
        @ticking = send_tick
      end

      def timer?
        !(@timer_thread.nil? || @timer_thread.ended?)
      end

      # @return [Boolean] false if Ruby can make no thread for the timer; {#receive} looks at the time then
      def wake(at)
        return true if @timed

        @timer_thread = TimerThread.new(@mailbox) unless timer?
        @timer_thread.set(at)
        @refused = false
        true
      rescue ThreadError => e
        @no_timer&.call(e) unless @refused
        @refused = true
        false
      end
    end
  end
end
