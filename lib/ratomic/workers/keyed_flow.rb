# frozen_string_literal: true

require_relative "flow"

module Ratomic
  module Workers
    # A {Flow} in which the items of one key run one after another. Each key has a line of items that wait. One lane at
    # a time runs items of a line; items that arrive meanwhile wait until that group is done. A lane takes whole lines,
    # the oldest first.
    class KeyedFlow < Flow
      Group = Struct.new(:numbers, :items, :lines)

      # The items of one key that wait, each after its number. Most lines have one item: so a line is one object.
      class Line
        attr_reader :key
        # Whether a lane has items of it.
        attr_accessor :busy

        def initialize(key)
          @key = key
          @number = @more = nil
          @busy = false
        end

        def size
          return 0 unless @number

          @more ? 1 + (@more.size / 2) : 1
        end

        def empty?
          @number.nil?
        end

        def add(number, item)
          return (@more ||= []).push(number, item) if @number

          @number = number
          @item = item
        end

        # Moves the first of them to a group.
        # @return [Integer] how many
        def move(most, group)
          count = 0
          while count < most && @number
            group.numbers << @number
            group.items << @item
            @number, @item = @more&.shift(2)
            count += 1
          end
          count
        end
      end
      private_constant :Line

      # @param key [#call]
      # @see Flow#initialize
      def initialize(workers, lanes, limit, ordered, key)
        super(workers, lanes, limit, ordered)
        @key = key
        @lines = {}   # key => its line, while items of it wait or run
        @ready = []   # lines with items that a lane may take
        @free = 0     # items in those
      end

      # @see Flow#add
      def add(item)
        await_room if @read - @yielded >= @limit
        key = own(@key.call(item))
        @lock.synchronize do
          line_up(@lines[key] ||= Line.new(key), item)
          wake_leader if @free >= @wanted
        end
      end

      private

      attr_reader :free

      def line_up(line, item)
        unless line.busy
          @ready << line if line.empty?
          @free += 1
        end
        line.add(@read, item)
        @read += 1
      end

      def take_group(size)
        group = Group.new([], [], [])
        while size.positive? && (line = @ready.shift)
          @free -= line.size
          size -= line.move(size, group)
          line.busy = true
          group.lines << line
        end
        @grouped += group.items.size
        group
      end

      # Most keys have one item that waits. Then the numbers of a group follow each other: its results stay together.
      def keep(group, results)
        each_run(group.numbers) { |number, place, size| @results[number] = results[place, size] }
        group.lines.reverse_each { |line| give_back(line) }
      end

      # Yields each run of numbers that follow each other: its first number, the place of that, and how many.
      def each_run(numbers)
        place = 0
        while place < numbers.size
          first = numbers[place]
          size = 1
          size += 1 while numbers[place + size] == first + size
          yield first, place, size
          place += size
        end
      end

      # Items that have arrived for the line meanwhile are older than most that wait, so the line is taken early.
      def give_back(line)
        return @lines.delete(line.key) if line.empty?

        line.busy = false
        @ready.unshift(line)
        @free += line.size
      end

      # All that is ready, not one run only: a run may be one result.
      # @return [Array, nil]
      def take_ready
        ready = []
        while (run = super)
          ready.concat(run)
        end
        ready unless ready.empty?
      end

      # A key that can still be changed or moved by the source or an item is copied. A key that compares by identity is
      # not: its copy would be another key.
      def own(key)
        return key.frozen? ? key : key.dup.freeze if key.instance_of?(String)
        return key if Integer === key || Symbol === key

        copy = FrozenCopy.of(key)
        copy.eql?(key) && copy.hash == key.hash ? copy : key
      rescue StandardError # the key cannot be copied
        key
      end

      def number(group, place)
        group.numbers[place]
      end
    end
  end
end
