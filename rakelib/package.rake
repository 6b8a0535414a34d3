# frozen_string_literal: true

desc "Make the source gem, and a compiled one for the Rubies that are here, in pkg/"
task :package do
  sh "bin/package"
end
