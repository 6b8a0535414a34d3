# frozen_string_literal: true

# Tries one call, in a process of its own: try.rb ID. First in the main Ractor, then in a worker; says what came of it.
require "json"
require "ratomic"
require_relative "calls"

# What some of the calls use: a class of the program.
class WhatRunsOwn
  OPEN = { "a" => 1 } # rubocop:disable Style/MutableConstant -- that is the point
  FROZEN = Ractor.make_shareable({ "a" => [1] })
  @@shareable = 1 # rubocop:disable Style/ClassVars
  @list = [1]
  @word = :word
  autoload :Later, File.expand_path("later", __dir__)

  class << self
    attr_reader :list, :word
  end
end

call = WhatRuns::CALLS.find { |each| each.id == ARGV[0] } or abort "there is no call #{ARGV[0]}"
begin
  # Parts of the library that newer Rubies have made gems of may be there with an older one: pure Ruby serves any.
  older = Dir["/usr/lib/ruby/3.*/"]
  begin
    call.libraries.each { |name| require name }
  rescue LoadError
    raise if (older -= $LOAD_PATH).empty?

    $LOAD_PATH.concat(older)
    retry
  end
  WhatRunsOwn.const_set(:Only, Class.new { include Singleton }) if call.id == "singleton"
  missing = nil
rescue LoadError
  missing = true
end

eval(<<~RUBY, binding, "call", 1) # rubocop:disable Security/Eval, Style/EvalWithLocation
  module Callable
    def self.call(_item)
      #{call.text}
      :well
    end
  end
RUBY

def alone
  reader, writer = IO.pipe
  pid = fork do
    writer.write(Callable.call(1))
  rescue Exception => e # rubocop:disable Lint/RescueException
    writer.write("#{e.class}: #{e.message}")
  ensure
    writer.close
    exit!(0)
  end
  writer.close
  Process.wait(pid)
  reader.read
end

main = missing ? "missing" : alone
told = { id: call.id, main: main }
if main == "well"
  result = Ratomic::Workers.dispatch_async([1], Callable, min_batch: 0, timeout: 15).value[0]
  failure = result.respond_to?(:failure?)
  told.update(worker: failure ? "failed" : "well")
  told.update(error: "#{result.exception_class}: #{result.message}", remedy: result.remedy) if failure
end
$stdout.puts("TOLD #{JSON.generate(told)}")
$stdout.flush
exit!(0)
