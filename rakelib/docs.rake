# frozen_string_literal: true

desc "Build the documentation site in build/docs/ (needs YARD and Redcarpet)"
task :docs do
  sh "bin/docs"
end
