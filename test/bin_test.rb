# frozen_string_literal: true

require "test_helper"
require "tempfile"

# The commands of bin/, run with the Ruby that runs this test.
class BinTest < Minitest::Test
  BIN = File.expand_path("../bin", __dir__)
  # As in a user's shell: the load path comes from the commands, not from this process.
  ENVIRONMENT = { "RATOMIC_RUBY" => RbConfig.ruby, "RUBYLIB" => nil, "RUBYOPT" => nil }.freeze

  def test_setup_says_nothing_and_is_quick_when_there_is_nothing_to_do
    assert_success bin("setup", seconds: 600)
    started = processor_time_of_children
    result = assert_success(bin("setup"))
    assert_equal ["", ""], [result.out, result.err]
    assert_operator processor_time_of_children - started, :<, 1, "seconds"
  end

  def test_setup_works_without_home_and_path
    result = run_command("/usr/bin/env", "-i", "RATOMIC_RUBY=#{RbConfig.ruby}", "#{BIN}/setup", seconds: 60)
    assert_equal ["", ""], [assert_success(result).out, result.err]
  end

  def test_setup_refuses_what_is_no_ruby_with_one_line
    ["/nowhere/ruby", "/bin/true"].each do |wrong|
      result = bin("setup", env: { "RATOMIC_RUBY" => wrong })
      assert_equal 1, result.status.exitstatus
      assert_equal 1, result.err.lines.size, result.err
      assert_includes result.err, wrong
    end
  end

  def test_exec_runs_a_file_with_ratomic_on_its_load_path_from_any_folder
    file('require "ratomic"; puts Ratomic::Counter.new(1).increment, RbConfig.ruby, ARGV') do |path|
      result = assert_success(run_command("#{BIN}/exec", path, "a b", chdir: "/", env: ENVIRONMENT))
      assert_equal ["2", RbConfig.ruby, "a b"], result.out.lines(chomp: true)
    end
  end

  def test_exec_gives_its_load_path_to_the_rubies_that_the_file_starts
    file('system(RbConfig.ruby, "-e", "require %q(ratomic); puts Ratomic::VERSION")') do |path|
      assert_equal Ratomic::VERSION, assert_success(bin("exec", path)).out.chomp
    end
  end

  def test_test_passes_a_failure_on_and_a_name_and_a_seed_to_minitest
    file(<<~'RUBY', "_test.rb") do |path|
      require "test_helper"
      class SmallTest < Minitest::Test
        def test_good = assert(true)
        def test_bad = flunk("as it should")
      end
    RUBY
      good = assert_success(bin("test", path, "-n", "test_good", "--seed", "17"))
      assert_includes good.out, "--seed 17"
      assert_includes good.out, "1 runs, 1 assertions, 0 failures"
      bad = bin("test", path)
      assert_equal 1, bad.status.exitstatus
      assert_includes bad.out, "as it should"
    end
  end

  def test_test_refuses_a_file_that_is_not_there
    result = bin("test", "no_such_test.rb")
    assert_equal 1, result.status.exitstatus
    assert_includes result.err, "no_such_test.rb"
  end

  private

  def bin(command, *arguments, seconds: 60, env: {})
    run_command(File.join(BIN, command), *arguments, seconds:, env: ENVIRONMENT.merge(env))
  end

  def file(code, suffix = ".rb")
    Tempfile.create(["ratomic", suffix]) do |tempfile|
      tempfile.write(code)
      tempfile.close
      yield tempfile.path
    end
  end

  # Of those that have ended. It says what they did, however long a busy machine let them wait.
  def processor_time_of_children
    Process.times.then { |times| times.cutime + times.cstime }
  end
end
