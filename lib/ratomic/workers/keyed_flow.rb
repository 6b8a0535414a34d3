# frozen_string_literal: true

require_relative "flow"

module Ratomic
  module Workers
    # A {Flow} in which the items of one key run one after another. Each key has a queue of waiting items. Only one lane
    # at a time runs items of a key; items that arrive meanwhile wait until that group is done. A lane takes whole
    # queues, the oldest first.
    class KeyedFlow < Flow
      Group = Struct.new(:numbers, :items, :queues)

      # @raise [TypeError] when the key cannot be called
      def self.check(key)
        return if key.respond_to?(:call)

        raise TypeError, "key: must have call (a proc), #{key.class} has none; pass ->(item) { item[:id] } " \
                         "or :id.to_proc"
      end

      # The waiting items of one key, with their numbers. Most queues have one item, so a queue of one needs no Array.
      class KeyQueue
        attr_reader :key
        # Whether a lane is running items of this key.
        attr_accessor :busy

        def initialize(key)
          @key = key
          @number = @more = nil
          @busy = false
        end

        # @return [Integer] of a queue that is not empty
        def size
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
      private_constant :KeyQueue

      # @param key [#call]
      # @see Flow#initialize
      def initialize(workers, lanes, limit, ordered, key)
        super(workers, lanes, limit, ordered)
        @key = key
        @keys = []    # of the items that were read and are in no queue yet; those are in @items
        @queues = {}  # key => its queue, while items of it wait or run
        @ready = []   # queues with items that a lane may take
        @free = 0     # items in those queues
        @queued = 0   # items that were put into a queue
      end

      # As {Flow#add}: without a lock. Items go into their queues many at a time, when some are taken. Until then all of
      # them count as free.
      def add(item)
        await_room if @read - @yielded >= @limit
        @keys << own(@key.call(item)) # before the item: another thread may take both at once
        @items << item
        @read += 1
        size = @items.size + @free
        return dispatch_group(@direct_size) if size >= @direct_size

        synchronize { wake_leader } if size >= @wanted
      end

      private

      def free
        enqueue_all unless @items.empty?
        @free
      end

      def enqueue_all
        count = @items.size
        items = @items.shift(count)
        @keys.shift(count).each_with_index { |key, place| enqueue(key, items[place]) }
      end

      def enqueue(key, item)
        queue = (@queues[key] ||= KeyQueue.new(key))
        unless queue.busy
          @ready << queue if queue.empty?
          @free += 1
        end
        queue.add(@queued, item)
        @queued += 1
      end

      def take_group(size)
        group = Group.new([], [], [])
        while size.positive? && (queue = @ready.shift)
          @free -= queue.size
          size -= queue.move(size, group)
          queue.busy = true
          group.queues << queue
        end
        @grouped += group.items.size
        group
      end

      # Most keys have one waiting item. Then the numbers of a group are consecutive, and its results stay in one Array.
      def keep(group, results)
        each_consecutive(group.numbers) { |number, place, size| @results[number] = results[place, size] }
        group.queues.reverse_each { |queue| give_back(queue) }
      end

      # Yields each sequence of consecutive numbers: its first number, the place of that, and how many.
      def each_consecutive(numbers)
        place = 0
        while place < numbers.size
          first = numbers[place]
          size = 1
          size += 1 while numbers[place + size] == first + size
          yield first, place, size
          place += size
        end
      end

      # Items that have arrived for the key meanwhile are older than most waiting items, so they go to the front.
      def give_back(queue)
        return @queues.delete(queue.key) if queue.empty?

        queue.busy = false
        @ready.unshift(queue)
        @free += queue.size
      end

      # Any: which of them has the next result is not known without a look at all their numbers.
      def next_direct
        any_direct
      end

      # Everything that is ready, not one sequence only: that may be a single result.
      # @return [Array, nil]
      def take_ready
        ready = []
        while (results = super)
          ready.concat(results)
        end
        ready unless ready.empty?
      end

      # A key that can still be changed or moved by the source or an item is copied. A key that compares by identity is
      # not: its copy would be another key.
      def own(key)
        return key.frozen? ? key : key.dup.freeze if key.instance_of?(String)
        return key if Integer === key || Symbol === key

        Interrupts.exceptions_deferred do # or one would be taken for an error of the key
          copy = FrozenCopy.of(key)
          copy.eql?(key) && copy.hash == key.hash ? copy : key
        rescue StandardError # the key cannot be copied
          key
        end
      end

      def number(group, place)
        group.numbers[place]
      end
    end
  end
end
