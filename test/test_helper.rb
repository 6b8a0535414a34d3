# frozen_string_literal: true

require "minitest" # without minitest/autorun, which brings mocks that Ruby 4.0 warns of
require "support/collector"
require "support/stress"
require "support/waiting"
require "support/watchdog"
patience = Stress::FACTOR * Waiting::PATIENCE
Watchdog.start(suite: 25 * 60 * patience, test: 10 * 60 * patience, exit: 30 * Waiting::PATIENCE)

Minitest.autorun
require "ratomic"
require "support/skip_report"
require "support/copying"
require "support/subprocess"
require "support/leftovers"

module Minitest
  class Test
    include Watchdog::Told
    include Waiting
    include Copying
    include Subprocess
    include Leftovers
    include Stress
    include Collector::Hard if Collector::WAY == "stress"

    # Skips a test that needs real Ractors on a Ruby that has none; a skip is counted, never a pass.
    def skip_without_ractors
      skip "needs Ractors (Ruby 4.0 or newer)" unless Ratomic::RACTORS
    end

    def before_setup
      @refs_before = Ratomic::Workers::RactorLocalRefs.size
      super
    end

    # How many objects that are not shareable are kept for threads since the test began (a test before may have been
    # interrupted while its callable was admitted, which then stays).
    def refs_kept
      [Ratomic::Workers::RactorLocalRefs.size - @refs_before, 0].max
    end

    def skip_without_fork
      skip "needs fork" if Ratomic::Workers::Processes.none?
    end

    # Skips what a development version of Ruby is known to get wrong by itself.
    def skip_on_development_ruby(fault)
      skip "a development version of Ruby: #{fault}" if RUBY_PATCHLEVEL.negative?
    end

    # Runs the block in a new Ractor with the given arguments and returns its value; an error in it is raised here, as
    # itself.
    def in_ractor(*arguments, &block)
      error = nil
      begin
        return Ractor.new(*arguments, &block).value
      rescue Ractor::RemoteError => e
        error = e.cause || e
      end
      raise error
    end
  end
end
