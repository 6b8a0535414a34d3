# frozen_string_literal: true

desc "Which lines of lib/ and of the Rust core the tests run, with reports in build/coverage/"
task :coverage do
  sh "bin/coverage"
end
