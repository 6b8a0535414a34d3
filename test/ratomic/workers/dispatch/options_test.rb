# frozen_string_literal: true

require "test_helper"

class OptionsTest < Minitest::Test
  Options = Ratomic::Workers::Options

  def test_defaults
    options = Options.new
    Options::DEFAULTS.each { |name, value| assert_equal [value], [options.public_send(name)], name }
    assert Ractor.shareable?(options)
    refute_predicate options, :watched?
  end

  def test_a_copy_has_the_changed_options_and_the_others
    options = Options.new(retries: 2, timeout: 5).with(timeout: 1.5, item_timeout: 1)
    assert_equal [2, 1.5, 1], [options.retries, options.timeout, options.item_timeout]
    assert_predicate options, :watched?
  end

  def test_a_wrong_option_is_named
    { retries: "2", min_batch: 1.5, timeout: "5" }.each do |name, value|
      assert_match(/#{name}: must be/, assert_raises(TypeError) { Options.new(name => value) }.message)
    end
    { retries: -1, min_batch: -1, timeout: -0.1, item_timeout: Float::NAN, on_full: :drop }.each do |name, value|
      assert_match(/#{name}: must be .*, not/, assert_raises(ArgumentError) { Options.new(name => value) }.message)
    end
    [5, false, [[:timeout, 1]]].each do |given|
      assert_match(/must be keywords, not/, assert_raises(TypeError) { Options.new.with(given) }.message)
    end
    assert_match(/unknown option :tiemout.*, known: timeout/, assert_raises(ArgumentError) do
                                                                Options.new(tiemout: 1)
                                                              end.message)
  end

  def test_a_flag_is_kept_as_true_or_false
    given = Object.new
    %i[move sequential cancel_on_abandon].each do |name|
      assert_equal [true, false], [given, nil].map { |flag| Options.new(name => flag).public_send(name) }
    end
    refute_predicate given, :frozen?
  end

  def test_an_option_of_a_pool_is_told_apart_from_one_that_does_not_exist
    [-> { Options.new(max_queue: 5) }, -> { Ratomic::Workers::Pool.new(workers: 4) }].each do |wrong|
      assert_match(/of a pool only: size, .*max_queue/, assert_raises(ArgumentError, &wrong).message)
    end
  end

  def test_what_cannot_be_called_around_an_item_is_named
    assert_match(/\Aaround: \(Integer\) has no method `call`/,
                 assert_raises(Ratomic::Workers::CallableError) { Options.new(around: 5) }.message)
  end

  def test_a_context_that_only_has_to_be_frozen_is_called_so
    { { id: 1 } => /this Hash is not frozen; pass/, { id: [1] } => /a part of this Hash is not: \[:id\]/ }
      .each do |context, message|
        error = assert_raises(Ratomic::ShareableError) { Options.new(context: context) }
        assert_match(message, error.message)
      end
  end
end
