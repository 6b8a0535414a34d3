# frozen_string_literal: true

require "test_helper"

class ErrorDecorationTest < Minitest::Test
  # Ruby 4.1 has them as autoloads until the first error is shown.
  def setup
    skip "this Ruby has loaded them" if ruby!("print Object.autoload?(:ErrorHighlight).inspect") == "nil"
  end

  def test_what_decorates_messages_is_loaded_before_a_worker_starts
    assert_equal "[1, []]", ruby!(<<~RUBY)
      require "ratomic"
      one = Ratomic::Workers::Pool.new(size: 1, min_batch: 0).map(["1"]) { |text| Integer(text) }
      print [*one, Ratomic::ErrorDecoration::NAMES.select { |name| Object.autoload?(name) }]
    RUBY
  end

  def test_a_pool_loads_it_too
    assert_equal "[]", ruby!(<<~RUBY)
      require "ratomic"
      Ratomic::Pool.new(1) { +"" }.with { |text| text << "a" }
      print Ratomic::ErrorDecoration::NAMES.select { |name| Object.autoload?(name) }
    RUBY
  end

  # Ruby passes `highlight:` to it always.
  def test_a_detailed_message_of_the_programs_own_is_not_called
    out = ruby!(<<~RUBY)
      class StandardError
        def detailed_message(highlight:, **) = raise("by the program")
      end
      require "ratomic"
      print Ratomic::Workers::Pool.new(size: 1, min_batch: 0).dispatch_async([1]) { |one| one }.value(timeout: 20)
    RUBY
    assert_equal "[1]", out
  end

  def test_what_cannot_be_loaded_is_left_out
    out = ruby!(<<~RUBY)
      Object.autoload(:DidYouMean, "no/such/file")
      require "ratomic"
      print Ratomic::Workers::Pool.new(size: 1, min_batch: 0).dispatch_async([1]) { |one| one }.value(timeout: 20)
    RUBY
    assert_equal "[1]", out
  end

  def test_nothing_is_loaded_by_ratomic_alone
    before, after = ruby!(<<~RUBY).lines(chomp: true)
      names = %i[ErrorHighlight DidYouMean SyntaxSuggest]
      p names.map { |name| Object.autoload?(name) }
      require "ratomic"
      p names.map { |name| Object.autoload?(name) }
    RUBY
    assert_equal before, after
  end
end
