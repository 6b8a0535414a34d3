# frozen_string_literal: true

# Required by every Ruby that bin/coverage starts, and by those that tests start: counts the lines of lib/, and writes
# them down when the program ends. A forked child that ends with exit! is not counted.
if (folder = ENV["RATOMIC_COVERAGE"]) && Dir.exist?(folder) && defined?(RubyVM)
  require "coverage"
  library = File.expand_path("../../../lib", __dir__)
  Coverage.start(lines: true) unless Coverage.running?
  at_exit do
    found = Coverage.peek_result.select { |path, _| path.start_with?(library) }
    lines = found.transform_values { |counts| counts[:lines] }
    name = File.join(folder, "#{Process.pid}-#{Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)}")
    next if lines.empty?

    File.binwrite("#{name}.part", Marshal.dump(lines)) # it may be killed in the midst of it
    File.rename("#{name}.part", name)
  rescue StandardError => e
    warn "coverage: #{e.message}" if $DEBUG
  end
end
