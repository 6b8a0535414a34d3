# frozen_string_literal: true

require "test_helper"

class RactorLocalRefsTest < Minitest::Test
  RactorLocalRefs = Ratomic::Workers::RactorLocalRefs

  def test_an_object_is_read_while_it_is_kept_and_taken_once
    ref = RactorLocalRefs.keep(object = Object.new)
    assert Ractor.shareable?(ref)
    assert_same object, RactorLocalRefs.read(ref)
    assert_same object, RactorLocalRefs.take(ref)
    assert_nil RactorLocalRefs.take(ref)
    assert_nil RactorLocalRefs.read(ref)
  end

  def test_threads_of_one_ractor_have_one_store
    ref = Thread.new { RactorLocalRefs.keep(:thing) }.value
    assert_equal :thing, RactorLocalRefs.take(ref)
  end
end
