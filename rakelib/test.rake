# frozen_string_literal: true

desc "Build the extension where its sources changed"
task :compile do
  sh "bin/setup"
end

desc "Run the suite (bin/test takes files and options)"
task :test do
  sh "bin/test"
end

desc "Run the tests against real servers and of the packaged gem"
task :integration do
  sh "bin/test test/integration"
end

desc "Run every check that a change has to pass"
task :ci do
  sh ".ci/run"
end
