# frozen_string_literal: true

require "test_helper"
require "support/libraries"

# The example with a real Puma: restarts, a killed process and TERM under load.
class PumaTest < Minitest::Test
  RUN = File.expand_path("../../examples/rails_like/run", __dir__)

  def test_no_request_fails_but_those_of_a_killed_process
    result = run_command(RbConfig.ruby, RUN, seconds: 400)
    skip result.out.lines.last.chomp if result.status.exitstatus == 77
    assert_success(result)
    refute_includes result.out, "WRONG"
    restarts = result.out.scan(/restart \(USR1\) +([1-9]\d*) pages, \d+ asked for again, 0 failed$/)
    assert_equal 2, restarts.size
    begun, answered = result.out.match(/begun by the application +(\d+), of which (\d+) were answered$/).captures
    assert_equal begun, answered
    assert_match(/ killed \(KILL\) +[1-9]\d* pages, /, result.out)
    assert_equal 2, result.out.scan(%r{^  /metrics +[1-9].* fragments rendered by \d processes$}).size
  end
end
