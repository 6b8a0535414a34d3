# frozen_string_literal: true

# Checks that code cleans up behind itself.
module Leftovers
  # Runs the block and returns its value. The test fails unless, at most `seconds` after it, there are no more threads,
  # Ractors and open files than there were before.
  def assert_leaves_nothing(seconds = 5)
    before = leftovers
    result = yield
    eventually(seconds, "a clean end (before: #{before}, threads after: #{Thread.list.inspect})") do
      leftovers.all? { |what, count| count <= before.fetch(what) }
    end
    result
  end

  private

  def leftovers
    counts = { threads: Thread.list.size }
    counts[:ractors] = Ractor.count if Ratomic::RACTORS
    counts[:files] = Dir.children("/proc/self/fd").size if File.directory?("/proc/self/fd")
    counts
  end
end
