# frozen_string_literal: true

require "test_helper"

# Every public method of the native classes is in sig/, and nothing that does not exist.
class SignaturesTest < Minitest::Test
  SIG = File.expand_path("../sig/ratomic", __dir__)
  INTERNAL = %i[initialize_copy].freeze
  {
    Ratomic::Counter => "counter", Ratomic::Map => "map", Ratomic::Queue => "queue",
    Ratomic::Workers::Completion => "workers/completion",
    Ratomic::Workers::CallerRunsCache => "workers/caller_runs_cache",
    Ratomic::Workers::Tally => "workers/tally"
  }.each do |owner, file|
    define_method(:"test_the_signatures_of_#{owner.name.gsub("::", "_")}_are_complete") do
      text = File.read(File.join(SIG, "#{file}.rbs"))
      declared = text.scan(/^\s+(?:def|alias) (?!self\.)([^\s:(]+)/).flatten.map(&:to_sym) - [:initialize]
      assert_equal (owner.public_instance_methods(false) - INTERNAL).sort, declared.sort
    end
  end
end
