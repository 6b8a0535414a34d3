# frozen_string_literal: true

require "timeout"

# What the tests of Ratomic::Workers run in workers.
module WorkerCallables
  # Doubles a number.
  module Double
    def self.call(item)
      item * 2
    end
  end

  # For callables with a way of their own to sum results.
  module Summing
    def initial
      0
    end

    def merge(sum, other)
      sum + other
    end
  end

  # Dispatches, as deep as the item says, two items to the next of its pools, and adds up what comes back.
  class Descend
    def initialize(*pools)
      @pools = pools
      Ractor.make_shareable(self)
    end

    def call(depth)
      return 1 if depth.zero?

      @pools[depth % @pools.size].dispatch_async([depth - 1] * 2, self).value.sum
    end
  end

  # Does to itself what the item says.
  module Misbehave
    Deep = Class.new(Exception) # rubocop:disable Lint/InheritException

    # Exceptions that will not say why.
    class Unreadable < StandardError
      def initialize(way)
        @way = way
        super()
      end

      def message
        Misbehave.call(@way)
      end
    end

    def self.call(item)
      item.is_a?(Symbol) ? send(item) : item
    end

    class << self
      private

      def raise_error
        Integer("forty")
      rescue ArgumentError
        raise KeyError, "no such key"
      end

      def raise_exception
        raise Deep, "not a StandardError"
      end

      def overflow_stack
        overflow_stack + 1
      end

      def run_out_of_memory
        raise NoMemoryError, "failed to allocate memory"
      end

      def leave_program
        exit(3)
      end

      def throw_tag
        throw :tag
      end

      def end_thread
        Thread.exit
      end

      # A worker's main thread; the process's own is left alone, where a worker is only a thread.
      def end_worker
        Ratomic::RACTORS && !Ractor.main? ? Thread.main.kill : Thread.exit
      end

      def nest_too_deeply
        20_000.times.inject([]) { |nested, _| [nested] }
      end

      def raise_while_read
        raise Unreadable, :raise_exception
      end

      def exit_while_read
        raise Unreadable, :leave_program
      end

      def interrupt
        raise Interrupt
      end

      def raise_at_its_thread
        Thread.current.raise(IOError)
      end

      def run_out_of_time
        Timeout.timeout(0.01, KeyError) { sleep 1 }
      end

      def unwritable_message
        raise Class.new(StandardError) { def message = raise("no message") }
      end
    end
  end

  # Changes its item. A Symbol misbehaves.
  module Append
    def self.call(item)
      item.is_a?(Symbol) ? Misbehave.call(item) : item << "!"
    end
  end

  # Sleeps so many seconds.
  module Sleep
    def self.call(seconds)
      sleep(seconds)
      seconds
    end
  end

  # Says when it runs, in a Map that the test reads, and then waits until it may go on.
  class Hold
    attr_reader :begun, :gate, :finished

    def initialize
      @begun = Ratomic::Counter.new
      @finished = Ratomic::Counter.new
      @gate = Ratomic::Queue.new(100_000)
      Ractor.make_shareable(self)
    end

    def call(item)
      @begun.increment
      @gate.pop
      @finished.increment
      item
    end

    # Lets so many items go on, or all that ever come.
    def open(count = nil)
      count ? count.times { @gate.push(:go) } : @gate.close
    end
  end

  # Does what the Symbol says when it is frozen.
  class FreezesBadly
    def initialize(way)
      @way = way
    end

    def freeze
      @way == :sleep ? sleep : Misbehave.call(@way)
    end
  end

  # Returns what it has given back to its pool, in the way that the item says.
  class Lend
    Box = Struct.new(:content)

    # Has it in a variable.
    class Holder
      def initialize(content)
        @content = content
      end
    end

    def initialize(pool)
      @pool = pool
      Ractor.make_shareable(self)
    end

    def call(way)
      lent = @pool.with { |object| object }
      case way
      when :itself then lent
      when :array then [1, [lent]].freeze
      when :hash then { key: [Box.new(lent)] }
      when :object then Holder.new({ lent: lent })
      else way
      end
    end
  end

  # Returns what was asked for.
  module Make
    def self.call(what)
      case what
      when :io then $stdout
      when :thread then Thread.current
      when :nested_mutex then { list: [1, Thread::Mutex.new] }
      when :mutable then [+"text", { key: +"value" }]
      when Array then FreezesBadly.new(what[0])
      else what
      end
    end
  end

  # Computes for about a microsecond per round.
  module Spin
    def self.call(rounds)
      sum = 0
      i = 0
      while i < rounds * 20
        sum += i * i
        i += 1
      end
      sum
    end
  end

  # Has none of the methods that every object has.
  class Bare < BasicObject
    def initialize; end
  end

  module MakeBare
    def self.call(_item)
      Bare.new
    end
  end

  # For callables whose items take their time, and the processor.
  module Busy
    def self.now
      Process.clock_gettime(Process::CLOCK_MONOTONIC, :float_millisecond)
    end

    private

    def spin(milliseconds)
      limit = Busy.now + milliseconds
      nil while Busy.now < limit
    end
  end

  # Does what the item says, and says which thread of which process ran it.
  class Where
    include Busy

    TRIAL_MS = (Ratomic::Workers.const_get(:Deferral)::TRIAL_NS / 1e6) + 1
    private_constant :TRIAL_MS

    # @return [String] the name of the calling thread in results
    def self.here
      "#{Process.pid} #{Thread.current.object_id}"
    end

    attr_reader :gate, :begun

    def initialize
      @gate = Ratomic::Queue.new(1)
      @begun = Ratomic::Counter.new
      Ractor.make_shareable(self)
    end

    def call(item)
      @begun.increment
      case item
      when :fail then raise KeyError, "no such key"
      when :leave then throw :tag
      when :drop then return Ratomic::Workers::DROPPED
      when :own then return Ratomic::Workers::Failure.new(77, "KeyError", "mine")
      when :wait then @gate.pop
      when :dear then spin(2)
      when :long, "long" then spin(TRIAL_MS)
      end
      [Where.here, Ratomic::Workers.context]
    end
  end

  # Raises into its thread when that waits for the next item.
  module RaiseLater
    def self.call(item)
      runner = Thread.current
      Thread.new do
        Thread.pass until runner.stop?
        runner.raise(IOError)
      end
      item
    end
  end

  # Counts every call in a shared Map, by item.
  class Tally
    attr_reader :calls

    def initialize
      @calls = Ratomic::Map.new
      Ractor.make_shareable(self)
    end

    def call(item)
      @calls.increment(item)
      item
    end
  end
end
