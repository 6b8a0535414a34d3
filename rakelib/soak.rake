# frozen_string_literal: true

desc "Run the soak (MINUTES=60; SEED=, ONLY=growth/queue): growth, chaos, walks, endings, a verdict a line"
task :soak do
  options = { "--minutes" => "MINUTES", "--seed" => "SEED", "--only" => "ONLY" }
  given = options.transform_values { |name| ENV.fetch(name, nil) }.compact
  sh "bin/setup"
  sh "bin/exec", "test/soak/run.rb", *given.flatten
end
