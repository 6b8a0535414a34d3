# frozen_string_literal: true

require "test_helper"
require "support/subprocess"

# What comes to a thread while native code asks a Hash for its default, or how it compares keys, goes on: an exception
# of another thread, the end of the thread. It comes here from a hook of the methods that are called.
class SharingInterruptsTest < Minitest::Test
  include Subprocess

  Sharing = Ratomic::Workers::Sharing
  Box = Struct.new(:content)
  Holder = Class.new do
    def initialize(content)
      @content = content
      @more = [content.dup]
    end

    def hash
      1
    end

    def eql?(other)
      other.is_a?(Holder)
    end
  end
  Sent = Class.new(RuntimeError)
  ASKED = %i[default_proc default compare_by_identity? ruby2_keywords_hash?].freeze
  MAP = Ratomic::Map.new
  QUEUE = Ratomic::Queue.new(1)
  CALLS = {
    "deep_freeze" => ->(data) { Sharing.deep_freeze(data) },
    "deep_frozen?" => ->(data) { Sharing.deep_frozen?(data) },
    "plain_tree?" => ->(data) { Sharing.plain_tree?(data) },
    "frozen_copy" => ->(data) { Sharing.frozen_copy(data) },
    "copies" => ->(data) { Sharing.copies([data]) },
    "snapshot" => ->(data) { Sharing.snapshot([data], 10) },
    "odd?" => ->(data) { Sharing.odd?(data) },
    "too_deep?" => ->(data) { Sharing.too_deep?(data) },
    "ordinary?" => ->(data) { Sharing.ordinary?(data) },
    "a frame" => ->(data) { Ratomic::Workers::Processes::PlainData.frame("p", data) },
    "a value of a Map" => ->(data) { MAP[:value] = data },
    "a key of a Map" => ->(data) { MAP[data] = 1 },
    "an item of a Queue" => ->(data) { QUEUE.try_push(data) && QUEUE.pop },
    "results of a caller" => ->(data) { Ratomic::Workers::Tally.new.record_and_freeze(0, [data], false) },
    "results in place" => ->(data) { Ratomic::Workers::Tally.new.record_and_freeze(0, [data], true) }
  }.freeze

  def test_an_exception_goes_on
    assert_each_goes_on(-> { raise Sent }) { |name, call| raised?(name, &call) }
  end

  def test_the_end_of_a_thread_goes_on
    assert_each_goes_on(-> { Thread.current.kill }) do |_, call|
      ended = true
      thread = Thread.new do
        call.call
        ended = false
      end
      within(20) { thread.join }
      ended
    end
  end

  def test_a_throw_goes_on
    assert_each_goes_on(-> { throw :sent, true }) { |_, call| catch(:sent) { call.call && false } == true }
  end

  # So that the tests above test something.
  def test_all_of_these_calls_ask
    asking = []
    each_call do |name, call, data|
      asked = []
      raised?(name) { interrupted(asked, -> { raise Sent }) { call.call(data) } }
      asking << name if asked.any?
    end
    expected = Sharing.way == "flag" ? ["a frame"] : CALLS.keys
    assert_empty expected - asking
  end

  def test_the_same_where_the_vm_notes_what_is_shareable
    skip "this Ruby does it" if Sharing.way == "walk"
    out = ruby!(<<~RUBY, File.expand_path("../../", __dir__), __FILE__, env: { "RATOMIC_SHAREABLE" => "walk" })
      $LOAD_PATH.unshift(ARGV.shift)
      load ARGV.shift
    RUBY
    assert_match(/[1-9]\d* assertions, 0 failures, 0 errors, 1 skips/, out)
  end

  private

  # @yieldparam call [Proc] one of the calls, in which `doing` is called when a method is asked
  # @yieldreturn [Boolean] whether it was ended by that
  def assert_each_goes_on(doing)
    each_call do |name, call, data|
      asked = []
      ended = yield(name, -> { interrupted(asked, doing) { call.call(data) } })
      assert_equal asked.any?, ended, "#{name}: #{asked} of #{data.class}"
    end
  end

  def each_call
    CALLS.each do |name, call|
      hash = { "key" => +"value", 1 => { "more" => [] } }
      all = [hash.dup.freeze, { [1, +"key"] => hash.dup }, [hash.dup], Box.new(hash.dup), Holder.new(hash.dup), hash]
      all.each { |data| yield name, call, data }
    end
  end

  # Whether the exception came out of the block.
  def raised?(name)
    yield
    false
  rescue Sent
    true
  rescue Ratomic::ShareableError => e
    flunk "#{name}: #{e.message}"
  end

  # Calls `doing` when one of the methods is called in this thread for the first time, by native code.
  def interrupted(asked, doing, &block)
    hook = TracePoint.new(:c_call) do |event|
      if asked.empty? && ASKED.include?(event.method_id)
        asked << event.method_id
        doing.call
      end
    end
    hook.enable(target_thread: Thread.current, &block)
  end
end
