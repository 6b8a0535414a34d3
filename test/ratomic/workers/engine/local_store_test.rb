# frozen_string_literal: true

require "test_helper"

class LocalStoreTest < Minitest::Test
  def test_each_ractor_has_its_own_and_all_threads_of_one_the_same
    store = Ratomic::Workers::LocalStore.here
    assert_same store, Thread.new { Ratomic::Workers::LocalStore.here }.value
    home = Ratomic::Workers::OwnedResults.new
    store.keep(home, { 0 => [1] })
    assert_nil in_ractor(home) { |h| Ratomic::Workers::LocalStore.here.take(h) } if Ratomic::RACTORS
    assert_equal({ 0 => [1] }, store.take(home))
    assert_nil store.take(home)
  end
end
