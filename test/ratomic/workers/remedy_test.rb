# frozen_string_literal: true

require "test_helper"
require "erb"
require "etc"
require "json"
require "optparse"
require "ripper"
require "singleton"
require "weakref"

# Each call that fails in a worker is made there, and so is what is said to do instead.
class RemedyTest < Minitest::Test
  Remedy = Ratomic::Workers::Remedy

  class Only
    include Singleton

    def value
      7
    end
  end

  class Counted
    @@count = 1 # rubocop:disable Style/ClassVars -- what is tried
    @count = [1]
    COUNTS = Ratomic::Map.new

    class << self
      attr_reader :count

      def read
        @@count
      end
    end
  end

  LIST = [+"mutable"] # rubocop:disable Style/MutableConstant
  SHARED = Ractor.make_shareable([+"text"])

  # rubocop:disable Security/JSONLoad, Style/GlobalVars, Style/GlobalStdStream
  # Calls in pairs: what fails, and what is done instead.
  module Bad
    class << self
      def json_load(_) = JSON.load("[1]")
      def json_dump(_) = JSON.dump([1])
      def unicode_normalize(_) = "u\u0308".unicode_normalize
      def singleton(_) = Only.instance.value
      def option_parser(_) = OptionParser.new { |o| o.on("-a") }.parse(["-a"])
      def weak_ref(_) = WeakRef.new(Object.new).class
      def gem_version(_) = Gem::Version.new("1.10") > Gem::Version.new("1.9")
      def erb_result(_) = ERB.new("<%= 1 %>").result
      def erb_hash(_) = ERB.new("<%= a %>").result_with_hash(a: 1)
      def ripper(_) = Ripper.sexp("1")
      def fork(_) = Kernel.fork { exit! }
      def etc(_) = Etc.getpwuid.name
      def stdout(_) = STDOUT.fileno
      def stderr(_) = STDERR.fileno
      def stdin(_) = STDIN.fileno
      def argv(_) = ARGV.size
      def global(_) = $program_settings
      def class_variable(_) = Counted.read
      def module_variable(_) = Counted.count
      def constant(_) = LIST.size
      define_method(:defined_by_a_proc) { |item| item }
      def gem_not_loaded(_) = Nokogirl::HTML("<p>")
      def no_such_file(_) = raise(LoadError, "cannot load such file -- nokogirl")
    end
  end

  module Good
    class << self
      def json_load(_) = JSON.parse("[1]")
      def json_dump(_) = JSON.generate([1])
      def unicode_normalize(item) = item
      def singleton(_) = Ratomic::Workers.context
      def option_parser(_) = Ratomic::Workers.context
      def weak_ref(_) = ObjectSpace::WeakMap.new.class
      def gem_version(_) = ([1, 10] <=> [1, 9]).positive?
      def erb_result(_) = ERB.new("<%= 1 %>").result(binding)

      def erb_hash(item)
        a = item
        ERB.new("<%= a %>").result(binding)
      end

      def ripper(_) = require("prism") && Prism.parse("1").value.class.name
      def fork(_) = Process.wait(Process.spawn("true")).class
      def etc(_) = Ratomic::Workers.context
      def stdout(_) = $stdout.fileno
      def stderr(_) = $stderr.fileno
      def stdin(_) = $stdin.fileno
      def argv(_) = Ratomic::Workers.context
      def global(_) = Ratomic::Workers.context
      def class_variable(_) = Counted::COUNTS.increment(:n)
      def module_variable(_) = Ratomic::Workers.context
      def constant(_) = SHARED.size
      def defined_by_a_proc(item) = item
      def gem_not_loaded(_) = JSON.parse("[1]")
      def no_such_file(_) = JSON.parse("[1]")
    end
  end
  # rubocop:enable Security/JSONLoad, Style/GlobalVars, Style/GlobalStdStream

  # Calls a method of the module with the item.
  class Caller
    def initialize(on, name)
      @on = on
      @name = name
      Ractor.make_shareable(self)
    end

    def call(item)
      @on.public_send(@name, item)
    end
  end

  # What the remedy of each says.
  SAYS = {
    json_load: /JSON\.parse/, json_dump: /JSON\.generate/, unicode_normalize: /before the dispatch/,
    singleton: /context:/, option_parser: /context:/, weak_ref: /ObjectSpace::WeakMap/, gem_version: /Arrays of num/,
    erb_result: /result\(binding\)/, erb_hash: /result\(binding\)/, ripper: /Prism/, fork: /Process\.spawn/,
    etc: /context:/, stdout: /\$stdout/, stderr: /\$stderr/, stdin: /\$stdin/, argv: /context:/, global: /context:/,
    class_variable: /backend: :thread.*Ratomic::Map/, module_variable: /context:/,
    constant: /backend: :thread.*make_shareable/, defined_by_a_proc: /backend: :thread.*`def`.*shareable_proc/,
    gem_not_loaded: /Nokogirl.*`require`.*before the first dispatch/, no_such_file: /`require "nokogirl".*Gemfile/
  }.freeze

  # Later Rubies may allow these.
  ALLOWED = { class_variable: :read_class_variable, weak_ref: :weak_ref, gem_version: :gem_version,
              json_load: :json_load, json_dump: :json_dump }.freeze

  def setup
    skip_without_ractors
    @pool = Ratomic::Workers::Pool.new(size: 1, min_batch: 0)
  end

  def teardown
    @pool&.kill
  end

  def run_in_worker(on, name)
    @pool.dispatch_async([1], Caller.new(on, name), context: 5).value(timeout: 10)[0]
  end

  SAYS.each do |name, says|
    define_method("test_what_fails_and_its_remedy_#{name}") do
      failure = run_in_worker(Bad, name)
      if ALLOWED.key?(name) && Ratomic::Workers::RactorCapabilities.allowed?(ALLOWED[name])
        refute_instance_of Ratomic::Workers::Failure, failure
      else
        assert_instance_of Ratomic::Workers::Failure, failure
        assert_match(says, failure.remedy.to_s, failure.to_s)
        assert_includes failure.to_s, failure.remedy
        assert_includes failure.to_error.message, failure.remedy
      end
      result = run_in_worker(Good, name)
      refute_instance_of Ratomic::Workers::Failure, result, result.to_s
    end
  end

  def test_an_error_in_a_cause_has_its_remedy_too
    wrapped = Ractor.make_shareable(Class.new do
      def call(_)
        Bad.singleton(1)
      rescue StandardError
        raise KeyError, "wrapped"
      end
    end.new)
    assert_match(/context:/, @pool.dispatch_async([1], wrapped).value(timeout: 5)[0].remedy)
  end

  # As deserializers are written that keep something from message to message.
  class Remembers
    def call(item)
      (@cache ||= {})[item] = item
    end
  end

  # One that changes what it is given.
  module Changes
    def self.call(item)
      item << "!"
    end
  end

  # It keeps what it needs where many gems do. Who uses it cannot put that elsewhere.
  class Library
    include Singleton

    @parsers = { text: ->(item) { item.upcase } }

    class << self
      def parse(item) = @parsers[:text].call(item)
    end

    def parse(item) = self.class.parse(item)
  end

  module UseLibrary
    def self.call(item) = Library.parse(item)
  end

  module UseSingleton
    def self.call(item) = Library.instance.parse(item)
  end

  def test_what_a_gem_keeps_for_itself_is_told_to_run_in_threads
    [UseLibrary, UseSingleton].each do |callable|
      failure = @pool.dispatch_async(["a"], callable).value(timeout: 10).first
      assert_equal "Ractor::IsolationError", failure.exception_class
      assert_match(/in the code of a gem: run it with backend: :thread\z/, failure.remedy)
      refute_nil failure.row
      threads = Ratomic::Workers::Pool.new(size: 1, min_batch: 0, backend: :thread)
      assert_equal ["A"], within(10) { threads.map(["a"], callable) }
    ensure
      threads&.shutdown(timeout: 5)
    end
  end

  def test_a_callable_that_remembers_something_is_told_the_three_ways
    callable = Ractor.make_shareable(Remembers.new)
    pool = Ratomic::Workers::Pool.new(size: 2)
    results = pool.dispatch_async((0...60).to_a, callable).value(timeout: 10)
    assert_equal ["FrozenError"] * 60, results.map(&:exception_class)
    ways = [/in `initialize`/, /per_worker/, /Ratomic::Map in a constant/]
    ways.each { |way| assert_match way, results[0].remedy }
    changed = pool.dispatch_async(["text"], Changes).value(timeout: 10)[0]
    assert_match(/change a copy \(`dup`\)/, changed.remedy)
    inline = Ratomic::Workers::Pool.new(backend: :inline)
    error = assert_raises(Ratomic::Workers::CallableError) { inline.dispatch_async([1], callable) }
    ways.each { |way| assert_match way, error.message }
  ensure
    pool.kill
  end

  def test_other_errors_have_none
    failing = Ractor.make_shareable(Class.new { def call(_) = raise("can not define or fork this") }.new)
    failure = @pool.dispatch_async([1], failing).value(timeout: 5)[0]
    assert_nil failure.remedy
    assert_equal "item 0: RuntimeError: can not define or fork this", failure.to_s
  end

  def test_an_extension_that_is_not_marked_safe_is_for_threads
    remedy = Remedy.of("Ractor::UnsafeError", "ractor unsafe method called", ["x.rb:1:in 'X.y'"])
    assert_match(/\Arun it with backend: :thread: the extension behind X is not marked/, remedy)
  end

  # YJIT compiles at the first call here, and then the error does not name the variable.
  def test_what_yjit_leaves_unnamed_has_its_remedy_too
    skip "no YJIT" unless defined?(RubyVM::YJIT.enable)
    out = ruby!(<<~'RUBY', env: { "RUBYOPT" => "--yjit --yjit-call-threshold=1" })
      require "ratomic"
      require "json"
      require "singleton"
      class Only
        include Singleton
      end
      module Try
        def self.load = JSON.load("[1]").class
        def self.dump = JSON.dump([1]).class
        def self.instance = Only.instance.class
        def self.call(name) = public_send(name)
      end
      pool = Ratomic::Workers::Pool.new(size: 1, min_batch: 0)
      results = pool.dispatch_async(%i[load dump instance], Try).value(timeout: 20)
      print results.map { |result| result.is_a?(Ratomic::Workers::Failure) ? result.remedy : result }.join(", ")
    RUBY
    assert_match(/\A(?:use JSON.parse|Array), (?:use JSON.generate|String), pass what is needed of the instance/, out)
  end

  # Nothing that a message of ours tells to freeze is, or holds, what the program goes on using.
  # A logger without a stream.
  class Notes
    def info(text) = text
  end

  Holder = Struct.new(:held) do
    def call(item) = item
    def go(item) = item
  end

  def test_no_message_tells_to_freeze_what_the_program_goes_on_using
    live = [$stdout, Notes.new, Monitor.new, Thread::Mutex.new, Thread::Queue.new, Random.new(1), [[Notes.new], +"a"],
            { deep: Holder.new([Notes.new]) }]
    live.each do |object|
      messages(object).each { |message| refute_match(/make_shareable|freeze (?:it|all)/i, message) }
      refute_predicate object, :frozen?
    end
    messages(+"data").each { |message| assert_match(/make_shareable/, message) }
  end

  def messages(object)
    workers = Ratomic::Workers
    [-> { workers::Callable.check(Holder.new(object)) }, -> { workers::Callable.check(Holder.new(object).method(:go)) },
     -> { workers::Options.new(context: { in: object }) }, -> { Ratomic::LocalPool.new(factory: Holder.new(object)) }]
      .map { |call| assert_raises(Ratomic::Error, &call).message }
  end

  def test_no_advice_freezes_what_the_program_shares
    shared = [$stdout, Random.new(1), Thread::Mutex.new, Thread::Queue.new, Monitor.new, Object.new, [$stderr],
              { a: Random.new }, proc {}, 1.method(:+)]
    shared.each { |value| refute_match(/make_shareable|freeze/, Remedy.of_constant(value), value.class.name) }
    [[+"a"], { +"a" => 1 }, Struct.new(:a).new([])].each do |value|
      assert_match(/make_shareable/, Remedy.of_constant(value))
    end
    assert_match(/\$stdout/, Remedy.of_constant($stdout))
    assert_match(/make one inside/, Remedy.of_constant([$stdout]))
    [ARGV, $LOAD_PATH, $LOADED_FEATURES].each do |value|
      assert_match(/context:/, Remedy.of_constant(value))
      refute_match(/freeze it|make_shareable/, Remedy.of_constant(value))
      next unless Ratomic::RACTORS

      error = assert_raises(Ratomic::Workers::CallableError) do
        Ratomic::Workers::Callable.check(ErrorsIn.new(value))
      end
      refute_match(/make_shareable/, error.message)
    end
  end

  ErrorsIn = Struct.new(:list) do
    def call(item)
      list.include?(item)
    end
  end

  def test_a_failure_points_to_the_row_of_the_table
    failure = Ratomic::Workers::Failure.new(0, "Ractor::IsolationError", "(@load_default_options from JSON)")
    assert_match(%r{\Adocs/what_runs/4\.\d\.md#json-load\z}, failure.row)
    assert_match(%r{\(use JSON.parse; see docs/what_runs/4\.\d\.md#json-load\)\z}, failure.to_s)
    assert_nil Ratomic::Workers::Failure.new(0, "KeyError", "no").row
  end

  def test_an_explanation_points_to_it_too
    finding = Ratomic::Workers::IsolationLint.findings(->(_) { $ratomic_nowhere }).first # rubocop:disable Style/GlobalVars
    assert_match(%r{; see docs/what_runs/4\.\d\.md#argv\z}, finding.to_h[:reason])
  end
end
