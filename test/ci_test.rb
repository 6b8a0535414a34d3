# frozen_string_literal: true

require "test_helper"
require "yaml"

# What the public host's CI calls is there.
class CiTest < Minitest::Test
  ROOT = File.expand_path("..", __dir__)
  WORKFLOW = YAML.safe_load(File.read(File.join(ROOT, ".github/workflows/ci.yml")))
  JOBS = File.read(File.join(ROOT, ".ci/job"))[/^case .*^esac/m].scan(/^  ([a-z-]+)\)/).flatten.freeze

  def test_each_job_of_the_workflow_is_one_of_the_script
    matrices = WORKFLOW["jobs"].values.filter_map { |job| job.dig("strategy", "matrix") }
    asked = matrices.flat_map { |matrix| matrix["job"].to_a + matrix["include"].to_a.map { |one| one["job"] } }
    steps = WORKFLOW["jobs"].values.flat_map { |job| job["steps"] }.filter_map { |step| step["run"] }
    asked += steps.filter_map { |run| run[%r{\A\.ci/job ([a-z-]+)\z}, 1] }
    assert_empty asked - JOBS
    assert_equal JOBS.sort, asked.uniq.sort
  end

  def test_a_development_version_may_fail_and_others_may_not
    matrix = WORKFLOW["jobs"]["tests"]["strategy"]["matrix"]
    assert_equal [{ "ruby" => "head", "job" => "tests-of-head", "may-fail" => true }], matrix["include"]
    assert_equal [false], matrix["may-fail"]
  end

  def test_an_unknown_job_is_refused
    result = run_command(File.join(ROOT, ".ci/job"), "nothing")
    assert_equal 1, result.status.exitstatus
    assert_match(/no job nothing/, result.err)
  end
end
