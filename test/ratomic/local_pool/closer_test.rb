# frozen_string_literal: true

require "test_helper"

class LocalPoolCloserTest < Minitest::Test
  Resource = Struct.new(:log, :error) do
    def close
      log << self
      raise error if error
    end
  end

  def slot(resource)
    Ratomic::LocalPool::Slot.new(nil).tap { |one| one.resource = resource }
  end

  def closer(callable = nil)
    Ratomic::LocalPool::Closer.new(callable)
  end

  def test_it_calls_close_where_there_is_one
    resource = Resource.new([])
    closer.drop(full = slot(resource))
    assert_equal [resource], resource.log
    assert_nil full.resource
    assert_nil closer.drop(slot(Object.new))
    assert_nil closer.drop(slot(nil))
  end

  def test_a_callable_comes_first
    seen = []
    closer(->(resource) { seen << resource }).drop(slot(resource = Resource.new([])))
    assert_equal [resource], seen
    assert_empty resource.log
  end

  def test_an_error_of_one_does_not_save_the_others
    log = []
    slots = [Resource.new(log, IOError.new("first")), Resource.new(log, IOError.new("second")), Resource.new(log)]
    error = assert_raises(IOError) { closer.close_all(slots.map { |resource| slot(resource) }) }
    assert_equal "first", error.message
    assert_equal 3, log.size
    assert_nil closer.drop(slot(Resource.new(log, IOError.new("unheard"))))
  end
end
