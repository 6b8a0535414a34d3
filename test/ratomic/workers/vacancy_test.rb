# frozen_string_literal: true

require "test_helper"

class VacancyTest < Minitest::Test
  Workers = Ratomic::Workers

  def test_every_copy_of_a_vacancy_is_the_same_object
    dropped = Workers::DROPPED
    assert Ractor.shareable?(dropped)
    assert_same dropped, dropped.dup
    assert_same dropped, dropped.clone(freeze: false)
    assert_same dropped, Ractor.make_shareable([dropped], copy: true)[0]
    assert_equal "Ratomic::Workers::DROPPED", dropped.to_s
  end

  def test_a_vacancy_from_another_ractor_is_the_same_object
    skip_without_ractors
    assert_same Workers::DROPPED, Ractor.new { Ratomic::Workers::DROPPED }.value
  end
end
