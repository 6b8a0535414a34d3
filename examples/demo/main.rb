# frozen_string_literal: true

# Before anything else is loaded, so that Ctrl-C has the same end at every moment.
require_relative "../support/interrupt"
Interruption.ends("bin/demo")

require_relative "cli"

Demo::JIT.enable
exit Demo::CLI.new(ARGV).run
