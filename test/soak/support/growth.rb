# frozen_string_literal: true

require "rbconfig"
require "open3"
require_relative "part"
require_relative "resources"

module Soak
  # Does the same operation for as long as the part has, and looks at what the process keeps after N, 2N, 5N and 10N of
  # them. From N on nothing may grow but by the bounds, however many operations there were.
  #
  # Where the allocator's own growth is in question, the part has a control: plain Ruby that does the like. It is
  # measured in a process of its own, and what it grows by in as many operations is allowed too. Both are looked at
  # after the same numbers of operations: the heap grows ever more slowly, so what it grew by later on tells too little.
  class Growth
    # MB that the allocator and the heap round up to.
    MEMORY = 6.0
    OBJECTS = 400
    # The VM keeps up to 8 native threads for its Ractors, and makes them as it needs them. What was dropped last may
    # still be on the stack, which the collector takes for a reference.
    BOUNDS = { threads: 8, files: 0, ractors: 1 }.freeze
    STAGES = [1, 2, 5, 10].freeze
    # Enough of them that the verdict stands; the rest is left out when the time is up.
    ENOUGH = 5
    COLUMNS = {
      "operations" => 12, "memory MB" => 9, "threads" => 8, "files" => 6, "objects" => 9, "Ractors" => 8
    }.freeze

    # @param step [Integer] operations between two looks at the clock
    # @param control [Proc, nil] called with a number of operations, like the block
    # @param interns [Boolean] whether many Strings are interned and dropped: Ruby 4.0's own table of them grows then
    #   (findings/interned_string_table.sh), and is not counted
    # @yieldparam count [Integer] operations to do
    def self.measure(step:, control: nil, interns: false, needs_ractors: false, &work)
      Part.run(needs_ractors: needs_ractors) do |part|
        next new(part, step, &control).table.last if part.control

        new(part, step, controlled: !control.nil?, interns: interns, &work).verdict
      end
    end

    def initialize(part, step, controlled: false, interns: false, &work)
      @part = part
      @step = step
      @controlled = controlled
      @interns = interns
      @work = work
      @done = 0
      @seen = []
    end

    def verdict
      table
      over = excess
      raise Wrong, "#{over.join(", ")} (#{summary})" if over.any?

      summary
    end

    # @return [Array<String>] the last line is that of {#growth_per_operation}
    def table
      row(COLUMNS.keys)
      started = Soak.now
      seconds = @controlled ? @part.seconds * 0.75 : @part.seconds
      run_until { @part.control ? @done >= @part.control : Soak.now - started > seconds / 12 }
      first = @done
      STAGES.each do |factor|
        run_until { @done >= factor * first || (factor > ENOUGH && Soak.now - started > seconds) }
        look
      end
      ["#{growth_per_operation} bytes an operation"]
    end

    private

    def run_until
      loop do
        @work.call(@step)
        @done += @step
        break if yield
      end
    end

    def look
      now = Resources.settled
      now.memory -= Resources.interned_strings if @interns && now.memory
      @seen << [@done, now]
      row([@done, now.memory&.round(1), now.threads, now.files, now.objects, now.ractors])
    end

    def row(cells)
      @part.note(cells.zip(COLUMNS.values).map { |cell, width| cell.to_s.rjust(width) }.join(" "))
    end

    def excess
      [*(memory_grown if grown(:memory) > memory_bound), *(objects_grown if grown(:objects) > OBJECTS),
       *BOUNDS.filter_map { |what, bound| "#{grown(what)} more #{what}" if grown(what) > bound }]
    end

    def memory_grown
      "#{grown(:memory).round(1)} MB more, #{memory_bound.round(1)} are allowed"
    end

    def objects_grown
      "#{grown(:objects)} more objects, #{OBJECTS} are allowed"
    end

    def memory_bound
      @memory_bound ||= MEMORY + (@controlled ? control_per_operation * operations / 1e6 : 0)
    end

    def operations
      @seen.last.first - @seen.first.first
    end

    def growth_per_operation
      (grown(:memory) * 1e6 / operations).round(1)
    end

    def grown(what)
      first, last = @seen.values_at(0, -1).map { |_, resources| resources[what] }
      first ? last - first : 0
    end

    def control_per_operation
      out, status = Open3.capture2(RbConfig.ruby, "-W:no-experimental", $PROGRAM_NAME, "--control",
                                   @seen.first.first.to_s, "--seconds", (@part.seconds / 4).to_s)
      raise Wrong, "the control ended with #{status}: #{out}" unless status.success?

      @part.note "plain Ruby: #{out.lines.last.split.drop(2).join(" ")}"
      [Float(out[/(-?[\d.]+) bytes an operation/, 1]), 0.0].max
    end

    def summary
      first, last = @seen.values_at(0, -1).map(&:last)
      objects = grown(:objects)
      "#{@done} operations: memory #{first.memory&.round(1)} -> #{last.memory&.round(1)} MB, " \
        "threads #{last.threads}, files #{last.files}, objects #{"+" if objects >= 0}#{objects}"
    end
  end
end
