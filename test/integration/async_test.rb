# frozen_string_literal: true

require "test_helper"
require "json"
require "open3"

# What waits under the scheduler of the async gem lets its other tasks run.
class AsyncTest < Minitest::Test
  FOLDERS, BROUGHT = Open3.capture2(File.expand_path("async/gem_from_debian", __dir__))
  BEGINNING = <<~RUBY
    require "async"
    require "ratomic"

    Workers = Ratomic::Workers
    NAPS = 5

    module Wait
      def self.call(seconds)
        sleep(seconds)
        seconds
      end
    end

    # Runs the block in a task beside one that naps. Returns its result, and the naps of that other task by then.
    def beside_naps
      result = nil
      naps = seen = 0
      Async do |task|
        task.async do
          result = yield
          seen = naps
        end
        task.async do
          NAPS.times do
            task.sleep(0.05)
            naps += 1
          end
        end
      end
      [result, seen]
    end
  RUBY

  def setup
    skip FOLDERS.lines.last.to_s.strip unless BROUGHT.success?
  end

  # @return [String] what the code has printed
  def with_async(code)
    folders = [File.expand_path("async", __dir__), *FOLDERS.lines(chomp: true)].map { |folder| "-I#{folder}" }
    options = ["-W0", "-r#{File.expand_path("../../bin/support/load_path.rb", __dir__)}", *folders]
    command = [RbConfig.ruby, *options, "-e", BEGINNING + code]
    assert_success(run_command(*command, env: { "NIO4R_PURE" => "true" })).out
  end

  def test_fibers_wait_for_the_value_of_a_future
    out = with_async(<<~RUBY)
      Workers.dispatch_async([0.0], Wait).value
      puts beside_naps { Workers.dispatch_async([0.5], Wait, timeout: 10).value }.inspect
    RUBY
    result, naps = JSON.parse(out)
    assert_equal [0.5], result
    assert_operator naps, :>=, 2
  end

  def test_fibers_wait_for_a_queue_and_for_a_claim_of_a_map
    out = with_async(<<~RUBY)
      queue = Ratomic::Queue.new(1)
      Thread.new { sleep(0.3) && queue << "item" }
      item, naps = beside_naps { queue.pop }
      map = Ratomic::Map.new
      entered = Thread::Queue.new
      Thread.new { map.compute(:key) { entered << true && sleep(0.3) && 1 } }
      entered.pop
      value, other_naps = beside_naps { map.increment(:key) }
      puts [item, naps, value, other_naps].inspect
    RUBY
    item, naps, value, other_naps = JSON.parse(out)
    assert_equal ["item", 2], [item, value]
    assert_operator [naps, other_naps].min, :>=, 1
  end

  def test_a_timeout_of_async_ends_the_wait
    out = with_async(<<~RUBY)
      Async do |task|
        task.with_timeout(0.2) { Workers.dispatch_async([5.0], Wait).value }
      rescue Async::TimeoutError => e
        puts e.class
      end
      Workers.pool.kill
    RUBY
    assert_equal "Async::TimeoutError", out.strip
  end
end
