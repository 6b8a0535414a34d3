# frozen_string_literal: true

require "test_helper"

class SettingsTest < Minitest::Test
  Settings = Ratomic::Workers::Settings

  def test_without_a_word_there_is_a_worker_for_each_processor
    settings = Settings.new
    assert_equal [Etc.nprocessors, Settings::MAX_QUEUE], [settings.size, settings.max_queue]
    assert_equal Ratomic::RACTORS ? :ractor : :thread, settings.backend
    assert Ractor.shareable?(settings)
  end

  def test_threads_run_one_at_a_time_and_ractors_as_many_as_there_are_processors
    threads = Settings.new(size: 3, backend: :thread)
    assert_equal [1, 0.0], [threads.parallel, threads.gain]
    skip_without_ractors
    assert_equal [1, Etc.nprocessors], [1, 100].map { |size| Settings.new(size: size, backend: :ractor).parallel }
  end

  def test_processes_run_in_parallel_and_say_after_what_they_are_replaced
    skip_without_fork
    settings = Settings.new(size: 3, backend: :process, recycle_after: 100)
    assert_equal [[3, Etc.nprocessors].min, { items: 100 }], [settings.parallel, settings.recycle_after]
    assert Ractor.shareable?(settings)
    assert_equal %i[inline process], [settings.inline.backend, settings.backend]
    given = { items: 5, megabytes: 1.5 }
    assert_equal given, Settings.new(backend: :process, recycle_after: given).recycle_after
    [0, -1, "5", { seconds: 3 }, { items: nil }].each do |wrong|
      error = assert_raises(ArgumentError) { Settings.new(backend: :process, recycle_after: wrong) }
      assert_match(/recycle_after: is .* must be a number of items/, error.message)
    end
    assert_match(/only/, assert_raises(ArgumentError) { Settings.new(backend: :thread, recycle_after: 5) }.message)
  end

  def test_every_pool_has_a_name_of_its_own
    names = Array.new(3) { Settings.new.name }
    assert_equal names.uniq, names
    assert_equal "parsers", Settings.new(name: :parsers).name
  end

  def test_any_name_becomes_one_that_everything_can_be_called_by
    names = { "a\0b" => "ab", "a".encode("UTF-16LE") => "a", "\xff" => "\uFFFD", "é".encode("ISO-8859-1") => "é" }
    names.each do |given, name|
      made = Settings.new(name: given).name
      assert_equal [name, Encoding::UTF_8], [made, made.encoding]
    end
  end

  def test_a_name_is_not_shared_with_the_caller
    name = +"mine"
    settings = Settings.new(name: name)
    name << "!"
    assert_equal "mine", settings.name
  end

  def test_a_wrong_setting_is_named_with_the_allowed_values
    assert_match(/size: must be 1 to 1024, not 0/, assert_raises(ArgumentError) { Settings.new(size: 0) }.message)
    assert_match(/max_queue: must be an Integer, not 1.5/,
                 assert_raises(TypeError) { Settings.new(max_queue: 1.5) }.message)
    assert_match(/name: is empty/, assert_raises(ArgumentError) { Settings.new(name: "\0") }.message)
    [1, Object.new, ["parsers"], false].each do |wrong|
      error = assert_raises(TypeError) { Settings.new(name: wrong) }
      assert_match(/name: must be a String, a Symbol or nil, not /, error.message)
    end
    assert_match(/backend: must be one of :ractor, .*, not :forks/,
                 assert_raises(ArgumentError) { Settings.new(backend: :forks) }.message)
  end
end
