# frozen_string_literal: true

require "test_helper"
require "support/worker_callables"

class WorkersTest < Minitest::Test
  include WorkerCallables

  Workers = Ratomic::Workers

  def teardown
    Workers.shutdown(timeout: 5)
  end

  def test_the_default_pool_is_made_at_the_first_use_and_kept
    assert_equal [2, 4], Workers.dispatch_async([1, 2], Double).value(timeout: 5)
    assert_same Workers.pool, Workers.pool
    assert_equal Etc.nprocessors, Workers.pool.size
    assert_equal "default", Workers.pool.name
  end

  def test_configure_makes_it_anew_and_lets_the_one_before_finish
    hold = Hold.new
    before = Workers.pool
    future = Workers.dispatch_async([1, 2, 3], hold, min_batch: 0)
    eventually { hold.begun.value.positive? }
    pool = Workers.configure(size: 1, name: "mine", backend: :thread, min_batch: 0)
    assert_same pool, Workers.pool
    assert_equal ["mine", 1, :thread], [pool.name, pool.size, pool.backend]
    assert_equal [6], Workers.dispatch_async([3], Double).value(timeout: 5)
    hold.open
    assert_equal [1, 2, 3], future.value(timeout: 5)
    assert within(5) { before.shutdown(timeout: 4) }
    assert_raises(Workers::ShutdownError) { before.dispatch_async([1], Double) }
  end

  # Other threads get their turn at each line of it.
  def test_of_pools_that_are_configured_at_once_one_is_left
    turns = TracePoint.new(:line) { |trace| Thread.pass if trace.path.end_with?("/lib/ratomic/workers.rb") }
    turns.enable
    threads = Array.new(4) { Thread.new { Array.new(25) { Workers.configure(size: 1) } } }
    pools = within(30) { threads.flat_map(&:value) }
    assert_equal [Workers.pool], pools.reject(&:shutdown?)
  ensure
    turns.disable
  end

  def test_wrong_settings_leave_the_default_pool_as_it_is
    pool = Workers.pool
    assert_raises(ArgumentError) { Workers.configure(size: 0) }
    assert_same pool, Workers.pool
    refute_predicate pool, :shutdown?
  end

  def test_after_shutdown_the_next_dispatch_makes_a_new_one
    first = Workers.pool
    Workers.dispatch_async([1], Double).value(timeout: 5)
    assert within(5) { Workers.shutdown(timeout: 4) }
    assert_equal [2], Workers.dispatch_async([1], Double).value(timeout: 5)
    refute_same first, Workers.pool
    assert Workers.shutdown(timeout: 5)
    assert Workers.shutdown
  end

  def test_a_wrong_timeout_is_refused_also_when_there_is_nothing_to_shut_down
    assert_raises(TypeError) { Workers.shutdown(timeout: "soon") }
    assert_raises(ArgumentError) { Workers.shutdown(timeout: -1) }
  end

  def test_stream_and_explain_use_it_too
    assert_equal [2, 4, 6], within(10) { Workers.stream([1, 2, 3], Double).to_a }
    assert_predicate Workers.explain([1], Double), :ok?
  end

  def test_another_ractor_has_the_same_default_pool
    skip_without_ractors
    Workers.pool
    result = within(10) do
      in_ractor { [Ratomic::Workers.pool.name, Ratomic::Workers.dispatch_async([5], Double).value(timeout: 5)] }
    end
    assert_equal ["default", [10]], result
  end

  def test_another_ractor_may_be_the_first_to_use_it
    skip_without_ractors
    Workers.shutdown(timeout: 5)
    assert_equal [10], within(10) { in_ractor { Ratomic::Workers.dispatch_async([5], Double).value(timeout: 5) } }
    assert_equal [6], Workers.dispatch_async([3], Double).value(timeout: 5)
  end

  def test_no_context_outside_of_a_dispatch
    assert_nil Workers.context
  end

  def test_every_constant_may_be_read_by_a_worker
    skip_without_ractors
    name_of = Module.instance_method(:name) # a module may have a `name` of its own
    modules = ObjectSpace.each_object(Module).select { |mod| name_of.bind_call(mod)&.start_with?("Ratomic::Workers") }
    unshareable = modules.flat_map do |mod|
      mod.constants(false).map { |name| "#{mod}::#{name}" unless Ractor.shareable?(mod.const_get(name)) }
    end
    assert_empty unshareable.compact
  end

  def test_a_pool_that_was_not_shut_down_prints_and_raises_nothing_at_the_end
    out = ruby!(<<~RUBY, seconds: 20)
      require "ratomic"
      p Ratomic::Workers.dispatch_async([1, 2], Ratomic::Workers::ParseJSON).value.map(&:exception_class)
    RUBY
    assert_equal "[\"TypeError\", \"TypeError\"]\n", out
  end

  # Each requires what it needs to be loaded; the order is another one in each run.
  def test_its_files_can_be_loaded_in_any_order
    folder = File.expand_path("../../lib/ratomic", __dir__)
    files = Dir[File.join(folder, "workers/{*,{runtime,crossing,scheduling,engine,monitoring,worker,dispatch}/*}.rb"),
                File.join(folder, "workers/supervision/{*,backend/*}.rb")]
    files = files.reject { |file| File.basename(file) == "all.rb" }.shuffle
    out = ruby!(<<~RUBY, *files, seconds: 60)
      %w[version features experimental errors reflection native error_record frozen_copy counter map queue pool
         local_pool].each { |name| require "ratomic/\#{name}" }
      ARGV.each { |file| require file }
      require "ratomic"
      p Ratomic::Workers.dispatch_async(["[1]"], Ratomic::Workers::ParseJSON).value(timeout: 10)
    RUBY
    assert_equal "[[1]]\n", out
  end
end
