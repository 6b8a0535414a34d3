# frozen_string_literal: true

module Ratomic
  module Workers
    # The workers of a pool, as the coordinator knows them: hires, and replaces those that have gone. Workers that end
    # soon after their start, one after the other, are replaced ever more slowly.
    class Roster
      Member = Struct.new(:pulse, :body, :born, :control, :reserve) do
        # @return [Boolean] false when it does not listen yet, or has ended
        def tell(message)
          !control.nil? && control.send(message) && true
        rescue *Mailbox::CLOSED
          false
        end
      end

      # Seconds that one which was given up gets to save what it has made.
      LATE = 0.75
      # A worker that has lived so many seconds was well.
      WELL = 1.0
      # Seconds before the next one is hired in a crash loop: doubled each time from the first to the last of these.
      FIRST_PAUSE = 0.01
      LONGEST_PAUSE = 1.0

      # @param engine [Engine]
      # @param agenda [Agenda]
      def initialize(engine, agenda)
        @engine = engine
        @agenda = agenda
        @backend = Backend.of(engine.backend)
        @members = {}
        @hired = 0
        @streak = 0
        @stopped = false
        @homing = Homing.new(@backend, agenda)
      end

      # @return [Homing] those who have left and bring something home
      attr_reader :homing

      # Hires until the pool has its size.
      def fill
        (@engine.size - @members.size).times { hire }
      end

      # @param parts [Array<Batch>, nil] what another one left behind; nil for the reserve
      def hire(parts = [])
        pulse = Pulse.new(@hired += 1)
        @engine.pulses[pulse.id] = pulse if parts
        body = @backend.spawn(@engine, pulse, parts.freeze)
        @members[pulse.id] = Member.new(pulse, body, Clock.now, nil, parts.nil?)
      rescue StandardError => e # the system has no thread left, say
        @engine.metrics.trouble(e)
        @engine.pulses.delete(pulse.id)
        pause(LONGEST_PAUSE, parts) if parts
      end

      # Hires as many in reserve as there are workers, so that as many can end at once and nobody waits.
      def reserve
        return if @stopped || !@engine.open?

        (@engine.size - @members.count { |_, member| member.reserve }).times { hire(nil) }
      end

      # Nobody of the reserve is needed any more.
      def close
        @stopped = true
        @members.each_value { |member| member.tell(Worker::STOP) if member.reserve }
      end

      # A worker has started and says where it listens.
      def up(id, control)
        return unless (member = @members[id])

        member.control = control
        return @engine.emit(:worker_started, nil, worker: id) unless member.reserve

        member.tell(Worker::STOP) if @stopped
      end

      # A worker has ended by itself or by its items.
      # @param wanted [Boolean] whether it was meant to
      # @param parts [Array<Batch>] what it has left
      # @return [Boolean] whether it was one of ours
      def gone(id, wanted, parts)
        return false unless (member = dismiss(id))

        home = expect_home(member)
        return true if member.reserve

        @engine.emit(:worker_ended, nil, worker: id, expected: wanted)
        wanted ? (refill if home) : replace(member, parts)
        true
      end

      # Finds those that have ended, of which word may be on its way.
      # @return [Array<Integer>]
      def ended
        @members.each_value.reject { |member| @backend.alive?(member.body) }.map { |member| member.pulse.id }
      end

      # A worker died without a word.
      # @return [Batch, nil] what it had in hand
      def lost(id)
        return unless @members.key?(id)

        batch = @engine.board[id]
        gone(id, false, [])
        @homing.look
        batch
      end

      # Gives a worker up that cannot be reached, and hires another.
      # @return [Member, nil]
      def abandon(id)
        return unless (member = dismiss(id))

        @engine.metrics.abandoned.increment
        @engine.emit(:worker_abandoned, nil, worker: id)
        AtExit.stuck(member.pulse)
        member.tell(Worker::STOP)
        expect_home(member, LATE)
        hire unless @stopped
        member
      end

      # Waits for none of them any more.
      def leave_all
        @members.each_value { |member| AtExit.stuck(member.pulse) }
        @homing.leave_all
        @engine.homes.values.each { |home| home.arrive(Home::LOST) }
      end

      # @yieldparam member [Member] those that are in a chunk of that dispatch
      def busy_with(ticket)
        @members.each_value { |member| yield member if member.pulse.ticket == ticket }
      end

      # Asks all to end now.
      def stop
        @stopped = true
        @members.each_value { |member| member.tell(Worker::STOP) }
      end

      def [](id)
        @members[id]
      end

      def empty?
        @members.empty? && @homing.empty?
      end

      private

      def dismiss(id)
        return unless (member = @members.delete(id))

        @engine.pulses.delete(id)
        @engine.board.delete(id)
        @engine.metrics.past_busy.increment(member.pulse.busy_nanoseconds)
        member
      end

      # A worker has left by bringing its share home: another one takes its place.
      def refill
        return if @stopped

        @engine.lane.bench.short
        member = @members.each_value.find { |other| other.reserve && other.tell(Worker::SEAT) }
        member ? seat(member) : hire
      end

      # One of the reserve is a worker like others now.
      def seat(member)
        member.reserve = false
        member.born = Clock.now
        @engine.pulses[member.pulse.id] = member.pulse
        @engine.emit(:worker_started, nil, worker: member.pulse.id)
      end

      # @return [Home, nil] that is expected
      def expect_home(member, seconds = Homing::PATIENCE)
        return unless (home = @engine.homes.delete(member.pulse.id))

        @homing.expect(member.body, home, seconds)
        home
      end

      def replace(member, parts)
        @engine.metrics.respawns.increment
        @streak = Clock.now - member.born < WELL ? @streak + 1 : 0
        parts = parts.reject { |part| @engine.offer(part) }
        return hire(parts) if @streak < 2

        pause([FIRST_PAUSE * (2**[@streak - 2, 10].min), LONGEST_PAUSE].min, parts)
      end

      # Hires later.
      def pause(seconds, parts)
        @engine.metrics.pauses.increment
        @engine.emit(:paused, nil, seconds: seconds)
        @agenda.add(Clock.now + seconds, :hire, parts)
      end
    end
  end
end
