# frozen_string_literal: true

require "test_helper"

class ErrorRecordTest < Minitest::Test
  def raised
    begin
      {}.fetch(:inner)
    rescue KeyError
      raise IOError, "lost: ä"
    end
  rescue IOError => e
    e
  end

  def assert_record(record, error)
    assert_instance_of Ratomic::ErrorRecord, record
    assert Ractor.shareable?(record)
    assert_equal [error.class.name, error.message, error.backtrace],
                 [record.exception_class, record.message, record.backtrace]
    assert_equal ["KeyError", error.cause.message], [record.cause.exception_class, record.cause.message]
    refute_predicate error, :frozen?
  end

  def test_it_has_the_texts_of_the_exception
    record = Ratomic::ErrorRecord.of(raised)
    assert_record(record, raised.tap { |error| error.set_backtrace(record.backtrace) })
    assert_equal "IOError: lost: ä", record.to_s
    assert_equal ["KeyError", record.cause.message], record.to_h[:cause].values_at(:exception_class, :message)
    error = raised
    assert_equal(*Array.new(2) { Ratomic::ErrorRecord.of(error) })
    assert_equal 1, Array.new(2) { Ratomic::ErrorRecord.of(error) }.uniq.size
    refute_respond_to record, :failure?
  end

  def test_a_map_and_a_queue_hold_one_in_the_place_of_an_exception_at_any_depth
    map = Ratomic::Map.new
    queue = Ratomic::Queue.new(2)
    error = raised
    map[:last] = error
    map[:list] = [{ error: error }]
    queue << error << [error]
    [map[:last], map[:list][0][:error], queue.pop, queue.pop[0]].each { |record| assert_record(record, error) }
    assert_equal "KeyError", map.compute(:last) { |last| last.cause.exception_class }
    native = assert_raises(NoMethodError) { $stdout.no_such_method }
    map[:last] = native
    assert_includes map[:last].message, "no_such_method"
    refute_predicate $stdout, :frozen?
  end

  # What rescues, and returns what it rescued.
  module Rescue
    def self.call(item)
      raise item if Exception === item
      return [item.exception_class, item.message] if Ratomic::ErrorRecord === item

      item.fetch(:none)
    rescue KeyError => e
      item.empty? ? e : { error: e }
    end
  end

  def test_items_and_results_are_records_on_every_backend
    backends = [:thread, :inline, *(:ractor if Ratomic::RACTORS)]
    backends.each do |backend|
      pool = Ratomic::Workers::Pool.new(size: 1, backend: backend, min_batch: 0)
      error = raised
      results = pool.dispatch_async([{}, { a: 1 }, error, [error]], Rescue).value(timeout: 10)
      assert_equal %w[KeyError KeyError], [results[0], results[1][:error]].map(&:exception_class), backend.to_s
      assert_includes results[0].message, "key not found: :none"
      assert_includes results[0].backtrace[0], "error_record_test.rb"
      assert_equal ["IOError", error.message], results[2]
      refute_kind_of Ratomic::Workers::Failure, results[0]
      assert_empty pool.stats[:failures].reject { |name, _| name == "TypeError" }
    ensure
      pool&.kill
    end
  end

  # As those of clients have: the connection that failed.
  class Broken < StandardError
    def initialize(words, connection)
      super(words)
      @connection = connection
    end
  end

  def test_errors_that_hold_an_object_that_cannot_be_copied_become_records_raised_or_not
    map = Ratomic::Map.new
    [$stdout, Thread.current, [Thread::Mutex.new]].each do |connection|
      error = Broken.new("connection lost", connection)
      2.times do
        map[:last] = [error]
        assert_equal ["ErrorRecordTest::Broken", "connection lost"],
                     [map[:last][0].exception_class, map[:last][0].message]
        sealed = Ratomic::Workers::ResultFreezer.seal([[error]], 0)
        assert_equal map[:last][0].message, sealed[0][0].message
        error = raised_again(error)
      end
      refute_predicate error, :frozen?
    end
    refute_predicate $stdout, :frozen?
  end

  def raised_again(error)
    raise error
  rescue Broken => e
    e
  end

  def test_an_exception_that_was_never_raised_is_copied_as_ruby_does
    map = Ratomic::Map.new
    map[:last] = KeyError.new("words")
    assert_equal [KeyError, "words"], [map[:last].class, map[:last].message]
  end

  def test_only_an_exception_has_a_record
    error = assert_raises(TypeError) { Ratomic::ErrorRecord.of("text") }
    assert_equal "the error must be an Exception, not String", error.message
  end
end
