# frozen_string_literal: true

require "test_helper"

class RactorLocalTest < Minitest::Test
  STORAGE = Ratomic::Workers::RactorLocal.new(:ratomic_storage_test)

  def test_all_threads_of_a_ractor_have_the_same_value
    made = Ratomic::Counter.new
    storage = Ratomic::Workers::RactorLocal.new(:"ratomic_storage_test_#{object_id}")
    assert_nil storage.value
    values = Array.new(8) { Thread.new { storage.fetch { made.increment && Object.new } } }.map(&:value)
    assert_equal 1, values.uniq.size
    assert_equal 1, made.read
    assert_same values.first, storage.value
  end

  def test_another_ractor_has_another_value
    skip_without_ractors
    STORAGE.fetch { +"mine" }
    assert_equal([true, "theirs"], in_ractor(STORAGE) { |storage| [storage.value.nil?, storage.fetch { +"theirs" }] })
    assert_equal "mine", STORAGE.value
  end

  def test_an_error_of_the_block_leaves_it_empty_and_usable
    storage = Ratomic::Workers::RactorLocal.new(:"ratomic_storage_test_#{object_id}_2")
    assert_raises(IOError) { storage.fetch { raise IOError } }
    assert_equal(:second, storage.fetch { :second })
  end

  def test_a_child_forked_while_another_thread_makes_the_value_makes_its_own
    skip_without_fork
    out = ruby!(<<~RUBY, seconds: 20)
      require "ratomic"
      storage = Ratomic::Workers::RactorLocal.new(:ratomic_storage_test)
      begun = Thread::Queue.new
      Thread.new { storage.fetch { (begun << true) && sleep } }
      begun.pop
      Process.wait(fork { puts storage.fetch { "the child's" } })
    RUBY
    assert_equal "the child's\n", out
  end

  def test_it_is_shareable
    assert Ractor.shareable?(STORAGE)
  end
end
