# frozen_string_literal: true

require "test_helper"

class HandlesTest < Minitest::Test
  Handles = Ratomic::Workers::Handles

  def test_an_object_is_read_while_it_is_kept_and_taken_once
    ref = Handles.keep(object = Object.new)
    assert Ractor.shareable?(ref)
    assert_same object, Handles.read(ref)
    assert_same object, Handles.take(ref)
    assert_nil Handles.take(ref)
    assert_nil Handles.read(ref)
  end

  def test_threads_of_one_ractor_have_one_store
    ref = Thread.new { Handles.keep(:thing) }.value
    assert_equal :thing, Handles.take(ref)
  end
end
