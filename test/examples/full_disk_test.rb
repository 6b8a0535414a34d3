# frozen_string_literal: true

require "test_helper"

# What an example has written reaches nobody if the disk is full. Ruby ignores that when the process ends.
class FullDiskTest < Minitest::Test
  FULL = "/dev/full"
  RUNS = { "erb" => %w[--items 5], "events" => %w[--items 10], "metrics" => %w[--changes 100 --rounds 1],
           "cdc" => [] }.freeze

  RUNS.each do |name, options|
    define_method("test_#{name}_says_so_and_fails") do
      assert_told(RbConfig.ruby, script("examples/#{name}/run"), *options)
    end
  end

  def test_ratomic_top_says_so_and_fails
    assert_told(RbConfig.ruby, "-I", script("lib"), script("exe/ratomic"), "top", "/nowhere.sock")
  end

  private

  def assert_told(*command)
    skip "#{FULL} is Linux's" unless File.exist?(FULL)
    result = run_command("sh", "-c", 'exec "$@" > /dev/full', "sh", *command)
    assert_equal 1, result.status.exitstatus, result.err
    refute_match(/^\s+from /, result.err)
    assert_match(/^\S.*: No space left on device.*\n\z/, result.err)
  end

  def script(path)
    File.expand_path("../../#{path}", __dir__)
  end
end
