# frozen_string_literal: true

require "test_helper"
require_relative "../../docs/what_runs/generate"

# Tries all calls of the table of what runs in a worker once more (a minute or two).
class WhatRunsTest < Minitest::Test
  def test_the_table_of_this_ruby_is_true
    skip_without_ractors
    table = WhatRuns::Table.new
    skip "there is no table of Ruby #{table.release}" unless File.exist?(table.path)
    assert_empty table.differences
  end

  def test_a_verdict_is_read_from_its_row
    rows = "| <a id=\"a-b\"></a>`A.b` | no | why | |\n| <a id=\"c\"></a>`C` | not here | | |\n"
    assert_equal({ "a-b" => "no", "c" => "not here" }, WhatRuns::Table.verdicts(rows))
  end
end
