# frozen_string_literal: true

desc "Run the measurements in benchmark/ (on a quiet machine; each prints its results)"
task :benchmark do
  sh "bin/setup"
  Dir["benchmark/*.rb"].sort.each { |script| sh "bin/exec", script }
end
