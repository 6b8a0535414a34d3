# frozen_string_literal: true

require "test_helper"

class LocalsTest < Minitest::Test
  Locals = Ratomic::Workers::Locals

  def test_an_object_is_read_while_it_is_kept_and_taken_once
    ref = Locals.keep(object = Object.new)
    assert Ractor.shareable?(ref)
    assert_same object, Locals.read(ref)
    assert_same object, Locals.take(ref)
    assert_nil Locals.take(ref)
    assert_nil Locals.read(ref)
  end

  def test_threads_of_one_ractor_have_one_store
    ref = Thread.new { Locals.keep(:thing) }.value
    assert_equal :thing, Locals.take(ref)
  end
end
