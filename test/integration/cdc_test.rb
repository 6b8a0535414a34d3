# frozen_string_literal: true

require "test_helper"
require_relative "../../examples/cdc/cdc"
require_relative "../../examples/cdc/cluster"

# Random transactions on a real PostgreSQL, decoded, replayed into tables and compared with the server's own. Another
# server than the newest that is installed: RATOMIC_POSTGRES=DIRECTORY, where its initdb and postgres are.
class CdcIntegrationTest < Minitest::Test
  SCRIPT = File.expand_path("../../examples/cdc/random", __dir__)

  # Seeds whose options are protocol version 1, 2 with streaming, and a slot made with two_phase.
  SEEDS = %w[1 3 9].freeze

  def test_what_random_transactions_leave_is_what_their_stream_tells
    Cdc::Programs.find
    server = ENV["RATOMIC_POSTGRES"] ? ["--server", ENV["RATOMIC_POSTGRES"]] : []
    SEEDS.each do |seed|
      result = run_command(RbConfig.ruby, SCRIPT, "--seed", seed, *server, "1", seconds: 200)

      assert_equal [0, ""], [result.status.exitstatus, result.err]
      assert_match(/\Aseed #{seed}, PostgreSQL .*, equal$/, result.out)
    end
  rescue Cdc::Programs::Missing => e
    skip e.message
  end
end
