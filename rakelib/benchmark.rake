# frozen_string_literal: true

desc "Run the measurements in benchmark/ (on a quiet machine; each prints its results)"
task :benchmark do
  sh "bin/setup"
  (Dir["benchmark/*.rb"].sort - ["benchmark/crates.rb"]).each { |script| sh "bin/exec", script }
end

desc "Compare the core with the crates that are known for theirs; writes benchmark/results/crates.txt"
task "benchmark:crates" do
  sh "bin/setup"
  sh "bin/exec benchmark/crates.rb > build/crates.txt"
  mv "build/crates.txt", "benchmark/results/crates.txt"
end
