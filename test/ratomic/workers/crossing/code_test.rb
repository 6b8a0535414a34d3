# frozen_string_literal: true

require "test_helper"

class CodeTest < Minitest::Test
  Code = Ratomic::Workers::Code

  module Sample
    LIST = [[1]] # rubocop:disable Style/MutableConstant -- what is to be found
    FINE = [1, [2].freeze].freeze
    @settings = { a: 1 }
    @limit = 5

    class << self
      def call(item)
        return FINE if item == @limit

        inner(item) { |x| x + deeper }
      end

      def unused
        $never # rubocop:disable Style/GlobalVars
      end

      private

      def inner(item)
        LIST.include?(yield(item)) && @settings
      end

      def deeper
        @count = $stdout ? $seen : 1 # rubocop:disable Style/GlobalVars
      end
    end
  end

  class Clean
    LIMIT = 5

    def call(item)
      [Comparable, Process::CLOCK_MONOTONIC, LIMIT, item].map { |x| helper(x) }
    end

    def helper(item)
      helper(item) if item == :again
    end
  end

  def test_it_finds_what_a_worker_may_not_touch_also_in_blocks_and_helpers
    found = Code.findings(Sample).map { |finding| [finding.kind, finding.name] }
    assert_equal [%w[constant LIST], ["global variable", "$seen"], ["instance variable", "@count"],
                  ["instance variable", "#{Sample}.@settings"]], found.sort
  end

  def test_clean_code_has_no_findings
    assert_empty Code.findings(Clean.new.freeze)
    assert_empty Code.findings(Ratomic::Workers::ParseJSON)
    assert_empty Code.findings(->(item) { item })
    assert_empty Code.findings(Integer.method(:sqrt))
  end

  # Constants of one name in two places, and things that are made and defined in passing.
  module Shop
    LIMITS = [1].freeze
    TABLE = [+"mutable"] # rubocop:disable Style/MutableConstant

    # Shareable through and through.
    class Job
      def initialize(by = 2)
        @by = by
      end

      def call(item)
        made = Job.new(3)
        Struct.new(:a) { def b = @b ||= 1 }.new(made)
        LIMITS.first + item
      end
    end

    # Reads what its outer module has, not Object.
    module Bad
      def self.name
        "a name of its own"
      end

      def self.call(item)
        TABLE.first + item
      end
    end
  end

  ::LIMITS = [+"mutable"] # rubocop:disable Style/MutableConstant
  ::TABLE = [].freeze

  def test_constants_are_looked_up_from_where_they_are_written
    [Shop::Job.new, Class.new(Shop::Job).new].each { |job| assert_empty Code.findings(job.freeze) }
    assert_equal ["TABLE"], Code.findings(Shop::Bad).map(&:name)
    skip_without_ractors
    assert_equal 2, in_ractor(Shop::Job.new.freeze) { |job| job.call(1) }
  end

  def test_of_global_variables_it_knows_which_a_ractor_may_read
    skip_without_ractors
    names = global_variables.grep(/\A\$(?:[[:punct:]]|-\w|[A-Z]+)\z|std|PROGRAM/)
    readable = names.select do |name|
      in_ractor(name) do |variable|
        Thread.current.report_on_exception = false
        eval(variable.to_s) # rubocop:disable Security/Eval
        true
      end
    rescue Ractor::IsolationError
      false
    end
    assert_includes names, :$;
    shown = names.select do |name|
      Code.findings(eval("-> { #{name} }")).empty? # rubocop:disable Security/Eval, Style/EvalWithLocation
    end
    assert_equal readable.sort, shown.sort
  end

  def test_what_is_found_fails_in_a_worker
    skip_without_ractors
    pool = Ratomic::Workers::Pool.new(size: 1, min_batch: 0)
    failure = pool.dispatch_async([1], Sample).value(timeout: 5)[0]
    assert_equal "Ractor::IsolationError", failure.exception_class
  ensure
    pool&.kill
  end
end
