# frozen_string_literal: true

desc "Run the stress tests for long (RATOMIC_STRESS=30 times the suite's short round, or another number)"
task :stress do
  sh({ "RATOMIC_STRESS" => ENV.fetch("RATOMIC_STRESS", "30") }, "bin/test", "test/stress")
end
