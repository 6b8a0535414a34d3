# frozen_string_literal: true

require_relative "part"
require_relative "resources"
require_relative "../../support/subprocess"

module Soak
  # Programs that end in some way, each with some work in flight and on some backend. A program has to end as Ruby alone
  # would have it: with its status, its words, and soon.
  class Endings
    include Subprocess

    # @!attribute code [String] how the program ends
    # @!attribute status [Integer, Symbol] of the process; or the signal that it ends by
    # @!attribute err [Regexp, nil] what it says on its standard error; nil for nothing
    # @!attribute out [String] what it prints
    Ending = Struct.new(:code, :status, :err, :out)

    # Seconds in which a program ends; the work in flight would take longer.
    END_TIMEOUT_S = 20
    BACKENDS = [*("ractor" if Ratomic::RACTORS), "thread", "inline"].freeze
    # The work is on its way when its first item has begun.
    WORK = {
      "none" => "POOL.start",
      "naps" => "later { POOL.dispatch_async([60] * 20, Nap).value }; begun",
      "loops" => "later { POOL.dispatch_async([60] * 4, Loop).value }; begun",
      "stream" => "later { POOL.stream(1.step, Quick).each {} }; begun",
      "dispatches" => "3.times { later { loop { POOL.dispatch_async([1, 2, 3], Quick).value } } }; begun",
      "waits" => "later { Ratomic::Queue.new(1).pop }; " \
                 "later { Ratomic::Map.new.compute(1) { BEGUN.increment && sleep } }; begun"
    }.freeze
    PROGRAM = <<~'RUBY'
      require "ratomic"
      MAIN = $$
      BEGUN = Ratomic::Counter.new
      module Nap; def self.call(seconds) = BEGUN.increment && sleep(seconds); end
      module Quick; def self.call(item) = BEGUN.increment && item; end
      module Leave; def self.call(status) = exit(status); end
      module Loop
        def self.call(seconds)
          BEGUN.increment
          limit = Process.clock_gettime(Process::CLOCK_MONOTONIC) + seconds
          nil while Process.clock_gettime(Process::CLOCK_MONOTONIC) < limit
        end
      end
      POOL = Ratomic::Workers::Pool.new(size: 2, min_batch: 0, backend: ARGV[0].to_sym)
      def later = Thread.new { Thread.current.report_on_exception = false; yield }
      def begun = (sleep 0.001 while BEGUN.zero?)
      OWN = Ratomic::Workers::Pool.new(size: 2, min_batch: 0, backend: ARGV[0].to_sym)
      def ask = OWN.dispatch_async([1, 2], Quick).value(timeout: 15)
    RUBY

    # @param endings [Hash] name => arguments of an {Ending}
    def self.run(endings)
      Part.run do |part|
        part.begin_with(part.seed)
        runs = BACKENDS.product(WORK.keys, endings.keys).shuffle(random: Random.new(part.seed))
        made = endings.transform_values { |arguments| Ending.new(*arguments) }
        new(part, runs.cycle, made).verdict
      end
    end

    def initialize(part, runs, endings)
      @part = part
      @runs = runs
      @endings = endings
      @slowest = [0]
    end

    def verdict
      count = 0
      while count.zero? || @part.left.positive?
        check(*@runs.next)
        count += 1
      end
      "#{count} programs, the slowest #{@slowest.first.round(1)} s (#{@slowest.last})"
    end

    private

    def check(backend, work, name)
      ending = @endings.fetch(name)
      begun = Soak.now
      what = "#{name}, #{work}, #{backend}"
      ended = ruby("#{PROGRAM}#{WORK.fetch(work)}\n#{ending.code}\n", backend, seconds: END_TIMEOUT_S)
      @slowest = [[Soak.now - begun, what], @slowest].max_by(&:first)
      compare(what, ending, ended)
    end

    def compare(what, ending, ended)
      status = ended.status.signaled? ? Signal.signame(ended.status.termsig).to_sym : ended.status.exitstatus
      said = ending.err ? ended.err.match?(ending.err) : ended.err.empty?
      return if status == ending.status && said && ended.out == ending.out.to_s

      warn what, ended.out, ended.err
      flunk "#{what}: ended with #{status.inspect}, #{ended.out.inspect}, #{ended.err[0, 200].inspect}"
    end

    def flunk(message)
      raise Wrong, message
    end
  end
end
