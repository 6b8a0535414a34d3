# frozen_string_literal: true

require "test_helper"
require "tempfile"

# Ctrl-C while an example is still being loaded.
class InterruptTest < Minitest::Test
  # Sends the signal to the process when it begins to load optparse, as all scripts do.
  AT_LOAD = <<~RUBY
    module InterruptAtLoad
      def require(name)
        Process.kill("INT", Process.pid) if name == "optparse"
        super
      end
    end
    Object.prepend(InterruptAtLoad)
  RUBY

  %w[cdc erb events metrics ports server].each do |name|
    define_method("test_#{name}_ends_with_one_line_also_while_it_loads") do
      script = File.expand_path("../../examples/#{name}/run", __dir__)
      Tempfile.create(["interrupt", ".rb"]) do |file|
        file.write(AT_LOAD)
        file.close
        result = run_command(RbConfig.ruby, "-r", file.path, script)
        assert_equal [130, "#{script}: interrupted\n", ""], [result.status.exitstatus, result.err, result.out]
      end
    end
  end
end
