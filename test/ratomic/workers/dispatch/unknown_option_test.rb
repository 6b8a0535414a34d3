# frozen_string_literal: true

require "test_helper"
require "support/worker_callables"

class UnknownOptionTest < Minitest::Test
  Workers = Ratomic::Workers
  Same = WorkerCallables::Double

  def test_a_misspelt_option_is_told_with_the_right_one
    {
      timeout: -> { Workers.dispatch_async([1], Same, tiemout: 1) },
      item_timeout: -> { Workers.map([1], Same, itemtimeout: 1) },
      max_in_flight: -> { Workers.stream([1], Same, max_inflight: 1) },
      initial: -> { Workers.reduce([1], Same, inital: 1) { |sum, one| sum + one } },
      size: -> { Workers::Pool.new(sise: 2) },
      on_full: -> { Workers.configure("on_full" => :raise) }
    }.each { |name, wrong| assert_match(/\Aunknown option \S+ \(did you mean #{name}:\?\), known: /, refused(wrong)) }
  end

  def test_an_option_that_others_take_is_told_with_them
    {
      "a pool" => -> { Workers.dispatch_async([1], Same, max_queue: 5) },
      "map" => -> { Workers.dispatch_async([1], Same, progress: true) },
      "reduce" => -> { Workers.map([1], Same, initial: 0) },
      "stream" => -> { Workers::Pool.new(key: :itself.to_proc) }
    }.each { |owner, wrong| assert_match(/\Aunknown option :\w+ \(it is for #{owner} only\), known: /, refused(wrong)) }
  end

  def test_what_is_like_no_option_gets_the_list_only
    [{ wibble: 1 }, { 5 => 1 }, { nil => 1 }].each do |given|
      assert_match(/\Aunknown option \S+, known: timeout, .*; of a pool only: size, .*; of stream only: key, /,
                   refused(-> { Workers.dispatch_async([1], Same, **given) }))
    end
  end

  def test_another_ractor_is_told_too
    skip_without_ractors
    message = Ractor.new do
      Ratomic::Workers.dispatch_async([1], Same, tiemout: 1)
    rescue ArgumentError => e
      e.message
    end.value
    assert_match(/did you mean timeout:/, message)
  end

  def test_an_option_that_cannot_be_read_is_unknown_too
    ["\xFFsize", "sizé".encode("UTF-16LE")].each do |name|
      assert_match(/\Aunknown option /, refused(-> { Workers.configure(name => 1) }))
    end
  end

  def owners
    Workers.const_get(:UnknownOption).const_get(:OF_SOME)
  end

  # The lists are written by hand.
  def test_each_option_that_is_told_is_taken_by_its_owner
    calls = {
      "a pool" => ->(options) { Workers::Pool.new(**options) },
      "map" => ->(options) { Workers.map([1], Same, **options) },
      "reduce" => ->(options) { Workers.reduce([1], Same, initial: 0, **options) { |sum, one| sum + one } },
      "stream" => ->(options) { Workers.stream([1], Same, **options) }
    }
    owners.each do |owner, names|
      names.each do |name|
        calls.fetch(owner).call({ name => Object.new })
      rescue ArgumentError, TypeError, Workers::CallableError => e
        refute_match(/unknown option/, e.message, "#{owner}: #{name}")
      end
    end
  end

  def test_each_keyword_of_an_owner_is_told
    keywords = ->(method) { method.parameters.filter_map { |kind, name| name if kind.to_s.start_with?("key") } }
    assert_empty keywords.call(Workers::Pool.instance_method(:map)) - [:options] - owners["map"]
    assert_empty keywords.call(Workers::Pool.instance_method(:stream)) - [:options] - owners["stream"]
    assert_empty keywords.call(Workers::Pool.instance_method(:initialize)) - [:options] - owners["a pool"]
  end

  private

  def refused(wrong)
    assert_raises(ArgumentError, &wrong).message
  end
end
