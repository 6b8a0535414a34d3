# frozen_string_literal: true

# What bin/puma does, with Puma and Rack from wherever they are. The environment's PUMA has folders for the load path.

require_relative "../../bin/support/load_path"
require_relative "../support/libraries"

Warning[:experimental] = false # Ruby calls Ractors experimental, once in every process
$LOAD_PATH.concat(ENV.fetch("PUMA", "").split(File::PATH_SEPARATOR))
Libraries.load("rack") or abort "rack is not installed"
require "puma/cli"

Puma::CLI.new(["-C", File.expand_path("config/puma.rb", __dir__)]).run
