# frozen_string_literal: true

# What bin/sidekiq does, with Sidekiq from wherever it is.

require_relative "../../bin/support/load_path"
require_relative "../support/libraries"

Warning[:experimental] = false # Ruby calls Ractors experimental, once in every process
Libraries.load("sidekiq/cli") or abort "sidekiq is not installed"

cli = Sidekiq::CLI.instance
cli.parse
cli.run
