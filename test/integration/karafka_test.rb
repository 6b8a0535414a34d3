# frozen_string_literal: true

require "test_helper"
require "tmpdir"

# Karafka's own specs with our pool in the place of its own. KARAFKA= names a working copy of its branch with parallel
# deserialization.
class KarafkaSpecsTest < Minitest::Test
  SPECS = File.expand_path("../../examples/karafka/specs", __dir__)

  def run_specs(*arguments)
    run_command(SPECS, *arguments, seconds: 300, env: { "RATOMIC_RUBY" => RbConfig.ruby })
  end

  def test_karafkas_specs_pass
    skip "KARAFKA names no working copy of Karafka" unless ENV["KARAFKA"]
    result = run_specs(ENV.fetch("KARAFKA"))
    skip result.out.lines.last.chomp if result.status.exitstatus == 77
    assert_success(result)
    assert_match(/^[1-9]\d* examples, 0 failures/, result.out)
  end

  def test_the_reason_why_karafkas_specs_cannot_run_is_told
    Dir.mktmpdir do |folder|
      result = run_specs(folder)
      assert_equal 77, result.status.exitstatus
      assert_match(/has no parallel deserialization/, result.out)
    end
    assert_equal 1, run_specs("/nowhere/at/all").status.exitstatus
    assert_equal 2, run_specs.status.exitstatus
  end
end
