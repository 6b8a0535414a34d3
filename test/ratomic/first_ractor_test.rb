# frozen_string_literal: true

require "test_helper"

class FirstRactorTest < Minitest::Test
  def test_all_is_collected_once_before_the_first_ractor_of_a_process_starts
    skip_unless_needed
    told = ruby!(<<~RUBY)
      require "ratomic"
      GC.disable
      counts = -> { Array.new(3) { before = GC.count; Ractor.new { nil }.join; GC.count - before } }
      print counts.call, "\\n"
      $stdout.flush
      Process.wait(fork { print counts.call, "\\n" })
    RUBY
    assert_equal ["[1, 0, 0]", "[1, 0, 0]"], told.lines(chomp: true)
  end

  def test_ractors_require_files_and_nobody_else_can_call_the_hook
    skip_unless_needed
    told = ruby!(<<~RUBY)
      require "ratomic"
      p Ractor.respond_to?(:_activated), Ractor.respond_to?(:activate_without_ratomic)
      p Ractor.new { require "English" }.value
    RUBY
    assert_equal %w[false false true], told.lines(chomp: true)
  end

  def test_the_hook_is_put_in_once
    skip_unless_needed
    told = ruby!(<<~RUBY)
      require "ratomic"
      load "ratomic/first_ractor.rb"
      p Ractor.new { 1 }.value
    RUBY
    assert_equal "1\n", told
  end

  def test_other_rubies_stay_as_they_are
    skip "this Ruby has the fault" if Ratomic::FirstRactor.needed?
    refute Ratomic::RACTORS && Ractor.respond_to?(:activate_without_ratomic, true)
  end

  private

  def skip_unless_needed
    skip "this Ruby does not have the fault" unless Ratomic::FirstRactor.needed?
  end
end
