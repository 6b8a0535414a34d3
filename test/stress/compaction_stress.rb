# frozen_string_literal: true

require "test_helper"

# Native walks through large graphs, while another Ractor compacts: it moves objects at any call into the VM. Two
# seconds each in the suite.
class CompactionStress < Minitest::Test
  def test_walks_meet_each_object_beside_a_ractor_that_compacts
    assert_equal "[[true, false, false, true]]\n", beside_compaction(<<~RUBY)
      sharing = Ratomic::Workers::Sharing
      graph = Array.new(3_000) do |number|
        text = String.new("text").tap { |text| text.instance_variable_set(:@note, [number.to_s]) }
        [Object.new, { number => number.to_s }, text]
      end
      questions = %i[plain_tree? odd? too_deep? ordinary?] * 3
      questions.map { |question| sharing.public_send(question, graph) }.each_slice(4).uniq
    RUBY
  end

  def test_bytes_of_plain_data_are_true_beside_a_ractor_that_compacts
    assert_equal "[true]\n", beside_compaction(<<~RUBY)
      plain_data = Ratomic::Workers::Processes::PlainData
      graph = Array.new(3_000) { |number| [{ "key " + number.to_s => "value" }, [number], number.to_s] }
      written = Array.new(3) { plain_data.frame("p", graph).byteslice(5..) }
      written.map { |bytes| plain_data.load(bytes, false) == graph }.uniq
    RUBY
  end

  private

  # Does it again and again, and prints the different outcomes. The Ractor makes garbage, so that there is room to move
  # objects to.
  def beside_compaction(code)
    skip_without_ractors
    skip "this Ruby does not compact" unless GC.respond_to?(:compact)
    seconds = stress(2)
    ruby!(<<~RUBY, seconds: seconds + 30)
      require "ratomic"
      Ractor.new { loop { Array.new(3_000) { "x" * 50 }.select.with_index { |_, place| place % 3 == 0 } && GC.compact } }
      limit = Process.clock_gettime(Process::CLOCK_MONOTONIC) + #{seconds}
      outcomes = []
      while Process.clock_gettime(Process::CLOCK_MONOTONIC) < limit
        outcomes |= [begin
          #{code}
        end]
      end
      puts outcomes.flatten(1).uniq.inspect
      $stdout.flush
      exit!(true)
    RUBY
  end
end
