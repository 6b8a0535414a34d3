# frozen_string_literal: true

module Ratomic
  module Workers
    # The one thread that holds a pool together, outside of the way that shared work takes. All that happens to the pool
    # reaches it as a message in its mailbox, and it waits for nothing else: workers that start, are ready for moved
    # items, or end; deadlines, cancellation, shutdown.
    class Coordinator
      # Seconds that stopped workers get before the pool ends without them.
      PATIENCE = 2.0

      # @param engine [Engine]
      def initialize(engine)
        @engine = engine
        @mailbox = engine.mailbox
        @agenda = Agenda.new(@mailbox)
        @parcels = Parcels.new
        @roster = Roster.new(engine, @agenda)
        @overseer = Overseer.new(engine, @agenda, @roster)
        @ended = false
      end

      # Works until the pool has ended.
      def run
        @roster.fill unless @started
        @started = true
        take(@mailbox.receive) until @ended
      end

      def ended?
        @ended
      end

      private

      # An error in here is the pool's own. It is counted and shown in the statistics; the coordinator lives on.
      def take(message)
        return look_for_dead if message.is_a?(Symbol) # from Ractor#monitor, which does not say of whom

        handle(*message)
      rescue StandardError => e
        @engine.metrics.trouble(e)
      end

      def handle(what, *details)
        case what
        when :ready then @parcels.ready(*details)
        when :parcel then @parcels.put(*details)
        when :drop then @parcels.drop(*details)
        when :up then up(*details)
        when :gone then gone(*details)
        when :lost then lost(*details)
        when :tick then @agenda.take_due.each { |entry| handle(*entry) }
        when :hire then hire(*details)
        when :deadline then @agenda.add_for(*details)
        when :idle then wind_up
        when :kill then kill
        when :bury then finish
        else @overseer.handle(what, *details)
        end
      end

      def up(id, control)
        @roster.up(id, control)
        control.send(Worker::STOP) if @killed
      end

      def gone(id, wanted, parts)
        parts.each { |part| @engine.stop(part, Verdict::KILLED) } if @killed
        @roster.gone(id, wanted || @killed, parts)
        wind_up
      end

      # What a worker says before it ends is in the mailbox already; a tick comes after it.
      def look_for_dead
        @roster.ended.each { |id| @agenda.add(Agenda.now, :lost, id) }
      end

      def lost(id)
        batch = @roster.lost(id)
        @overseer.handle(:audit, batch) if batch
        wind_up
      end

      def hire(parts)
        @roster.hire(parts) unless @killed
      end

      # When a pool is closing and everything accepted is done the workers may go, and when they are gone it ends.
      def wind_up
        return if @engine.open?

        @engine.lane.close if @engine.idle?
        finish if @roster.empty? && (@killed || @engine.idle?)
      end

      def kill
        @killed = true
        @roster.stop
        @agenda.add(Agenda.now + PATIENCE, :bury)
        wind_up
      end

      def finish
        @ended = true
        @agenda.close
        @engine.end
      end
    end
  end
end
