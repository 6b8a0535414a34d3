# frozen_string_literal: true

require "test_helper"
require "tmpdir"

# In a process of its own, as the demo is: its forks come before any Ractor.
class DemoForksTest < Minitest::Test
  CODE = <<~RUBY.freeze
    require #{File.expand_path("../../../examples/demo/forks", __dir__).dump}
    require #{File.expand_path("../../../examples/demo/job", __dir__).dump}

    # Writes down which process has done which item.
    class Note
      def call(item)
        exit!(1) if item == :die
        File.write(File.join(ARGV[0], item.to_s), Process.pid.to_s)
      end
    end

    def job(items, name = "job") = Demo::Job.new(name, items, Note.new)

    def done_by(item) = Integer(File.read(File.join(ARGV[0], item.to_s)))
  RUBY

  def run_in_a_folder(code)
    Dir.mktmpdir { |folder| ruby!("ARGV[0] = #{folder.dump}\n#{CODE}\n#{code}") }
  end

  def test_each_process_does_its_share_and_ends
    output = run_in_a_folder(<<~RUBY)
      forks = Demo::Forks.new(2, [job((0...5).to_a), job([7], "other")])
      2.times { p forks.run(job([])) }
      forks.run(job([], "other"))
      shares = [0, 1, 2, 3, 4, 7].map { |item| done_by(item) }
      forks.shutdown
      p shares.uniq.size, shares.uniq.include?(Process.pid), shares == shares.values_at(0, 0, 0, 3, 3, 0)
      shares.uniq.each do |pid|
        Process.kill(0, pid)
      rescue Errno::ESRCH
        puts "ended"
      end
    RUBY
    assert_equal %w[nil nil 2 false true ended ended], output.split
  end

  def test_the_death_of_a_fork_is_reported
    output = run_in_a_folder(<<~RUBY)
      forks = Demo::Forks.new(2, [job([1, :die])])
      begin
        forks.run(job([]))
      rescue Demo::Error => e
        puts e.message
      end
      forks.shutdown
    RUBY
    assert_equal "a forked process has died in the job job\n", output
  end
end
