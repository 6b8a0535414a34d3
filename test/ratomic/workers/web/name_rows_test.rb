# frozen_string_literal: true

require "test_helper"
require "ratomic/workers/web"

class NameRowsTest < Minitest::Test
  NameRows = Ratomic::Workers::Web::NameRows

  def test_a_row_for_each_name
    counts = { dispatches: 4, by_caller: 1, items: 2000, failures: 3, seconds: 2.0 }
    rows = NameRows.new({ "orders" => counts, "new" => counts.merge(dispatches: 0, seconds: 0.0) }).to_a
    assert_equal %w[orders new], rows.map(&:first)
    assert_equal [NameRows::HEADS.size] * 2, rows.map(&:size)
    assert_equal %w[4 1], rows[0][1, 2]
    assert_match(/500/, rows[0].last)
  end
end
