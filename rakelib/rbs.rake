# frozen_string_literal: true

namespace :rbs do
  desc "Validate the signatures in sig/"
  task :validate do
    rbs = ENV["PATH"].split(File::PATH_SEPARATOR).flat_map { |folder| Dir[File.join(folder, "rbs{,[0-9]*}")] }.first
    abort "rbs is not installed: gem install rbs (Debian brings it with its Ruby)" unless rbs
    sh rbs, "-I", "sig", "validate", "--silent"
  end
end
