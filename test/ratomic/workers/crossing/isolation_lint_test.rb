# frozen_string_literal: true

require "test_helper"
require "erb"
require "json"
require "singleton"

class IsolationLintTest < Minitest::Test
  IsolationLint = Ratomic::Workers::IsolationLint

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

  def test_it_finds_what_a_worker_may_not_use_also_in_blocks_and_helper_methods
    found = IsolationLint.findings(Sample).map { |finding| [finding.kind, finding.name] }
    assert_equal [%w[constant LIST], ["global variable", "$seen"], ["instance variable", "@count"],
                  ["instance variable", "#{Sample}.@settings"]], found.sort
  end

  # Each reaches something mutable in another way.
  module Ways
    TABLE = [[1]] # rubocop:disable Style/MutableConstant -- what is to be found

    module Singleton
      class << self
        INSIDE = [[1]] # rubocop:disable Style/MutableConstant -- the same

        def call(_item)
          INSIDE
        end
      end
    end

    module Reader
      @seen = []
      class << self
        attr_reader :seen

        def call(_item)
          seen
        end
      end
    end

    module Forwards
      def self.call(...)
        helper(...)
      end

      def self.helper(_item)
        TABLE
      end
    end
  end

  def test_constants_of_a_singleton_class_readers_forwarded_calls_and_methods
    names = ->(callable) { IsolationLint.findings(callable).map { |finding| [finding.kind, finding.name] } }
    assert_equal [%w[constant INSIDE]], names.call(Ways::Singleton)
    assert_equal [["instance variable", "#{Ways::Reader}.@seen"]], names.call(Ways::Reader)
    assert_equal [%w[constant TABLE]], names.call(Ways::Forwards)
    assert_equal [%w[constant TABLE]], names.call(Ways::Forwards.method(:call))
  end

  def test_clean_code_has_no_findings
    assert_empty IsolationLint.findings(Clean.new.freeze)
    assert_empty IsolationLint.findings(Ratomic::Workers::ParseJSON)
    assert_empty IsolationLint.findings(->(item) { item })
    assert_empty IsolationLint.findings(Integer.method(:sqrt))
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
    [Shop::Job.new, Class.new(Shop::Job).new].each { |job| assert_empty IsolationLint.findings(job.freeze) }
    assert_equal ["TABLE"], IsolationLint.findings(Shop::Bad).map(&:name)
    skip_without_ractors
    assert_equal 2, in_ractor(Shop::Job.new.freeze) { |job| job.call(1) }
  end

  def test_it_knows_which_global_variables_a_ractor_may_read
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
      IsolationLint.findings(eval("-> { #{name} }")).empty? # rubocop:disable Security/Eval, Style/EvalWithLocation
    end
    assert_equal readable.sort, shown.sort
  end

  def test_each_finding_fails_in_a_worker
    skip_without_ractors
    pool = Ratomic::Workers::Pool.new(size: 1, min_batch: 0)
    failure = pool.dispatch_async([1], Sample).value(timeout: 5)[0]
    assert_equal "Ractor::IsolationError", failure.exception_class
  ensure
    pool&.kill
  end

  # Constants that are seen from where the code stands, and from nowhere else.
  module Config
    STATE = [+"mutable"] # rubocop:disable Style/MutableConstant
    TOP = [].freeze

    Anonymous = Class.new { def call(_item) = STATE }
    BLOCK = proc { |_item| STATE }
    Alias = Config

    module Inner
      def self.call(_item) = STATE
    end

    module ByAlias
      def self.call(_item) = Alias::STATE
    end

    class << self
      def call(_item) = STATE

      def make(&block)
        Ractor.respond_to?(:shareable_proc) ? Ractor.shareable_proc(self: nil, &block) : block
      end

      def made
        make { |_item| STATE }
      end
    end
  end

  # Not in the text of Config: finds another constant.
  class Config::Compact # rubocop:disable Style/ClassAndModuleChildren
    def call(_item) = STATE
  end

  STATE = [].freeze

  def test_constants_of_the_modules_around_are_found_where_the_code_stands
    callables = [Config, Config::Inner, Config::ByAlias, Config::Anonymous.new.freeze, Config::BLOCK, Config.made]
    callables.each do |callable|
      assert_includes IsolationLint.findings(callable).map(&:name).join, "STATE", callable.inspect
    end
    assert_empty IsolationLint.findings(Config::Compact.new.freeze)
  end

  ::ONLY_AT_THE_TOP = [+"mutable"] # rubocop:disable Style/MutableConstant

  def test_it_reports_only_certain_findings_in_code_without_a_file
    Shop.module_eval("module Later; def self.call(_item) = TABLE.size; end", __FILE__, __LINE__)
    assert_empty IsolationLint.findings(Shop::Later), "it may be Object's, which is shareable"
    Shop.module_eval("module Last; def self.call(_item) = ONLY_AT_THE_TOP; end", __FILE__, __LINE__)
    assert_equal ["ONLY_AT_THE_TOP"], IsolationLint.findings(Shop::Last).map(&:name)
  end

  module ByProc
    counts = []
    define_singleton_method(:call) { |item| counts << item }
  end

  class ByShareableProc
    define_method(:call, &Config.make { |item| item })
  end

  class ByInstanceProc
    define_method(:call) { |item, *rest| [item, rest] }
  end

  def test_methods_that_are_made_of_a_proc_are_found_with_the_place_of_the_proc
    skip_without_ractors
    [ByProc, ByInstanceProc.new.freeze].each do |callable|
      finding = IsolationLint.findings(callable).first
      assert_equal %w[method call], [finding.kind, finding.name]
      assert_match(/proc at .*isolation_lint_test\.rb:\d+ \(define_method\).*shareable_proc/, finding.reason)
      assert_match(/un-shareable Proc/, in_worker(callable).message)
    end
    assert_empty IsolationLint.findings(ByShareableProc.new.freeze)
    assert_equal 1, in_worker(ByShareableProc.new.freeze)
  end

  def in_worker(callable)
    pool = Ratomic::Workers::Pool.new(size: 1, min_batch: 0)
    pool.dispatch_async([1], callable).value(timeout: 5)[0]
  ensure
    pool&.kill
  end

  # rubocop:disable Security/JSONLoad, Style/GlobalStdStream
  module Loads
    def self.call(item) = JSON.load(item)
  end

  module Renders
    def self.call(_item) = ERB.new("<%= 1 %>", trim_mode: "-").result
  end

  module RendersPlain
    def self.call(item) = ERB.new(item).result
  end

  module Normalizes
    def self.call(item) = item.unicode_normalize(:nfc)
  end

  module Forks
    def self.call(_item) = fork { exit! }
  end

  class Only
    include Singleton
  end

  module Asks
    def self.call(_item) = Only.instance
  end

  module Writes
    def self.call(item) = STDOUT.puts(item)
  end

  module Fine
    def self.load(item) = item

    def self.call(item)
      load(item)
      item.load(JSON, item ? 1 : 2)
      JSON.parse(item.dump(JSON))
      ERB.new(item).result(binding)
      Process.spawn("true")
    end
  end
  # rubocop:enable Security/JSONLoad, Style/GlobalStdStream

  def test_calls_that_are_known_to_fail_are_found_with_their_remedy
    skip_without_ractors
    { Loads => %w[JSON.load JSON.parse], RendersPlain => %w[ERB.result result(binding)],
      Normalizes => ["unicode_normalize", "before the dispatch"], Forks => %w[fork Process.spawn],
      Asks => %w[IsolationLintTest::Only.instance context:] }.each do |callable, (name, remedy)|
      next if callable == Loads && Ratomic::Workers::RactorCapabilities.allowed?(:json_load) # in later Rubies

      finding = IsolationLint.findings(callable).first
      assert_equal ["call", name], [finding&.kind, finding&.name], callable.name
      assert_includes finding.reason, remedy
    end
    assert_empty IsolationLint.findings(Fine)
  end

  module Registers
    def self.call(_item) = at_exit { nil }
  end

  module RegistersItsOwn
    def self.call(_item) = at_exit

    def self.at_exit
      1
    end
  end

  # Later Rubies do not allow it.
  def test_a_call_of_at_exit_is_found_where_it_fails
    skip_without_ractors
    finding = IsolationLint.findings(Registers).first
    assert_empty IsolationLint.findings(RegistersItsOwn)
    if Ratomic::Workers::RactorCapabilities.allowed?(:at_exit)
      assert_nil finding
    else
      assert_equal %w[call at_exit], [finding.kind, finding.name]
      assert_match(/register it before the dispatch; see .*#at-exit/, finding.reason)
      assert_match(/#{Regexp.escape(finding.reason[/register.*/])}/, in_worker(Registers).to_s)
    end
  end

  # rubocop:disable Style/ClassVars
  module Reads
    @@frozen = [1].freeze
    @@list = [1]

    def self.call(item) = @@frozen.size + item
  end

  module ReadsMore
    @@frozen = [1].freeze
    @@list = [1]

    class << self
      def call(item) = @@list.size + @@frozen.size + item
    end
  end

  module Sets
    @@count = 0

    def self.call(item) = (@@count = item)
  end
  # rubocop:enable Style/ClassVars

  # Later Rubies allow to read a class variable that holds something shareable.
  def test_a_class_variable_is_found_where_it_fails
    skip_without_ractors
    [Reads, ReadsMore, Sets].each do |callable|
      failed = in_worker(callable)
      findings = IsolationLint.findings(callable)
      assert_equal Ratomic::Workers::Failure === failed, findings.any?, callable.name
      next if findings.empty?

      assert_equal "class variable", findings[0].kind
      assert_includes failed.message, findings[0].name
    end
    refute_empty IsolationLint.findings(ReadsMore)
    if Ratomic::Workers::RactorCapabilities.allowed?(:read_class_variable)
      assert_empty IsolationLint.findings(Reads)
      assert_match(/\Aholds an instance of Array that is not shareable; freeze it/,
                   IsolationLint.findings(ReadsMore)[0].reason)
    end
  end

  def test_a_stream_of_the_program_is_not_to_be_frozen
    finding = IsolationLint.findings(Writes).first
    assert_equal %w[constant STDOUT], [finding.kind, finding.name]
    assert_match(/use \$stdout/, finding.reason)
    refute_match(/make_shareable|freeze/, finding.reason)
  end

  # Another format than the one that is known, and one that cannot be had at all.
  def test_compiled_code_of_an_unknown_form_is_not_read
    head = ["YARVInstructionSequence/SimpleDataFormat"] * 13
    unknown = [nil, [], ["Other", 1], [*head, "text"], [*head, [[:opt_getconstant_path, 5], [:getglobal], [1, [:x]]]]]
    unknown.each do |format|
      code = Class.new { define_method(:to_a) { format } }.new
      with_code(-> { code }) { assert_empty IsolationLint.findings(Sample) }
    end
    with_code(-> { raise NotImplementedError }) { assert_empty IsolationLint.findings(proc {}) }
  end

  def with_code(answer)
    singleton = RubyVM::InstructionSequence.singleton_class
    original = RubyVM::InstructionSequence.method(:of)
    singleton.define_method(:of) { |_| answer.call }
    yield
  ensure
    singleton.define_method(:of, original.unbind)
  end
end
