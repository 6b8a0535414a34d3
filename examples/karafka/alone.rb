# frozen_string_literal: true

# Runs Karafka's specs of parallel deserialization without the rest of Karafka, where its gems are not installed:
# alone.rb CHECKOUT. Needs rspec.

require "json"
require "singleton"
$LOAD_PATH.push(*Dir["/usr/share/rubygems-integration/all/gems/{rspec,diff-lcs}*/lib"]) # Debian's
begin
  require "rspec/core"
  require "rspec/expectations"
  require "rspec/mocks"
rescue LoadError
  puts "examples/karafka/specs: rspec is not installed (Debian: apt install ruby-rspec)"
  exit 77
end

unless defined?(Data) && Data.respond_to?(:define)
  puts "examples/karafka/specs: parallel deserialization of Karafka needs Ruby 3.2 or newer (Data)"
  exit 77
end

# The constants of the rest of Karafka to which the specs refer.
module Karafka
  module Deserializing
    # Its classes are loaded from the checkout, see below.
    module Parallel
    end
  end

  module Messages
    # The specs make doubles of it.
    class Message
      attr_writer :payload

      def raw_payload; end
    end
  end
end

parts = %w[distributor future immediate injector message_proxy pool]
parts.each { |part| require File.join(ARGV.fetch(0), "lib/karafka/deserializing/parallel/#{part}") }

require "ratomic/karafka"
Ratomic::Karafka.install

specs = Dir[File.join(ARGV.fetch(0), "spec/lib/karafka/deserializing/parallel/*_spec.rb")]
specs.each do |spec|
  name = File.basename(spec, "_spec.rb").split("_").map(&:capitalize).join
  described = Karafka::Deserializing::Parallel.const_get(name)
  RSpec.define_singleton_method(:describe_current) { |&examples| RSpec.describe(described, &examples) }
  load spec
end
exit RSpec::Core::Runner.run(["--options", File::NULL, File::NULL]) # not the options of the checkout
