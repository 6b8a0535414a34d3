# frozen_string_literal: true

module Primitives
  # Counter#increment against a bare call of a native method, and against Mutex and Integer.
  module Counters
    NAME = "counter"

    # An Integer behind a Mutex.
    class Locked
      attr_reader :value

      def initialize
        @mutex = Mutex.new
        @value = 0
      end

      def increment
        @mutex.synchronize { @value += 1 }
      end
    end

    module_function

    def contests(scale)
      count = (2_000_000 * scale).to_i
      [alone(count), threads(count / 2), *(ractors(count * 2) if Ratomic::RACTORS)]
    end

    # An empty native method would be inlined by YJIT, so with it the reference is one that reads a bit.
    def alone(count)
      counter = Ratomic::Counter.new
      locked = Locked.new
      bare = jit? ? "Proc#lambda?" : "Kernel#itself"
      Contest.new("Counter, one thread") do
        contestant("Counter#increment") { Counters.increment(counter, count) }
        contestant("Mutex + Integer") { Counters.increment(locked, count) }
        contestant(bare) { bare == "Kernel#itself" ? Counters.itself_of(counter, count) : Counters.lambda_of(count) }
        ask "Counter#increment", bare, 1 / 1.5
        ask "Counter#increment", "Mutex + Integer", 1
      end
    end

    def threads(count)
      counter = Ratomic::Counter.new
      locked = Locked.new
      Contest.new("Counter, two threads") do
        contestant("Counter#increment") { Parallel.threads([counter] * 2) { |one| Counters.increment(one, count) } }
        contestant("Mutex + Integer") { Parallel.threads([locked] * 2) { |one| Counters.increment(one, count) } }
        ask "Counter#increment", "Mutex + Integer", 1
      end
    end

    def ractors(count)
      counters = Array.new(2) { Ratomic::Counter.new }
      Contest.new("Counter, Ractors") do
        contestant("one Ractor") { Parallel.ractors(Counters, :increment, [[counters[0], count]]) }
        contestant("two, one counter") { Parallel.ractors(Counters, :increment, [[counters[0], count]] * 2) }
        contestant("two, a counter each") do
          Parallel.ractors(Counters, :increment, counters.map { |counter| [counter, count] })
        end
        contestant("a bare loop, one Ractor") { Parallel.ractors(Counters, :itself_of, [[nil, count]]) }
        contestant("a bare loop, two") { Parallel.ractors(Counters, :itself_of, [[nil, count]] * 2) }
      end
    end

    def jit?
      defined?(RubyVM::YJIT.enabled?) && RubyVM::YJIT.enabled?
    end

    def increment(counter, count)
      done = 0
      while done < count
        counter.increment
        done += 1
      end
      count
    end

    def itself_of(object, count)
      done = 0
      while done < count
        object.itself
        done += 1
      end
      count
    end

    def lambda_of(count)
      object = proc {}
      done = 0
      while done < count
        object.lambda?
        done += 1
      end
      count
    end
  end
end
