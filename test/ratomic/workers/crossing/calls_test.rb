# frozen_string_literal: true

require "test_helper"

class CallsTest < Minitest::Test
  # @return [Array] of the calls whose receiver is known
  def calls(source)
    found = []
    calls = Ratomic::Workers::Calls.new { |*call| found << call if call[0] }
    RubyVM::InstructionSequence.compile(source).to_a.last.each do |part|
      calls.label if part.is_a?(Symbol) && part.start_with?("label")
      calls.follow(part) if part.is_a?(Array)
    end
    found
  end

  def test_the_receiver_of_a_call_is_the_constant_that_stands_before_it
    skip_without_ractors # older Rubies read the path of a constant step by step
    assert_equal [[[:constant, [:A]], :load, 1]], calls("x = 1; A.load(x)").select { |call| call[1] == :load }
    assert_equal [[[:constant, %i[A B]], :c, 2]], calls("A::B.c(1, 'two')")
    assert_includes calls("A.new(1).result"), [[:new, [:A]], :result, 0]
    assert_includes calls("A.new(1).result(binding)"), [[:new, [:A]], :result, 1]
  end

  def test_a_new_object_is_followed_through_literals_keywords_and_local_variables
    skip_without_ractors
    assert_includes calls("A.dump([1])"), [[:constant, [:A]], :dump, 1]
    assert_includes calls("A.dump({ a: 1 })"), [[:constant, [:A]], :dump, 1]
    assert_includes calls("A.new('x').to_s"), [[:constant, [:A]], :new, 1]
    assert_includes calls("A.new(1).with(a: 1, b: 2)"), [[:new, [:A]], :with, 2]
    assert_includes calls("a = A.new(1); a.result"), [[:new, [:A]], :result, 0]
    refute_includes calls("a = A.new(1); a = x; a.result"), [[:new, [:A]], :result, 0]
  end

  def test_what_is_an_argument_or_comes_after_a_jump_is_no_receiver
    ["x.load(A)", "x.load(A, y ? 1 : 2)", "A.(x).load", "(y ? A : B).load", "A && x.load", "[A].load"].each do |source|
      assert_empty calls("x = y = nil; #{source}").select { |call| call[1] == :load }, source
    end
  end

  def test_instructions_that_it_does_not_know_make_it_begin_anew
    calls = Ratomic::Workers::Calls.new { |receiver, *| assert_nil receiver }
    [[:opt_getconstant_path, [:A]], [:no_such_thing, 1], [:opt_send_without_block, { mid: :b, orig_argc: 0 }],
     [:opt_getconstant_path], [nil], [:swap], [:opt_send_without_block, 5], [:pop]].each { |part| calls.follow(part) }
  end
end
