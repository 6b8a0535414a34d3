# frozen_string_literal: true

require "test_helper"

# Threads that are killed while native code walks through Hashes. Each kill ends its thread, and what is shared is
# whole.
class SharingInterruptsStress < Minitest::Test
  Sharing = Ratomic::Workers::Sharing
  MAP = Ratomic::Map.new
  DEPTH = 20
  WORK = {
    "stores" => ->(data) { MAP[:data] = data },
    "freezes" => ->(data) { Sharing.deep_freeze(data) },
    "copies" => ->(data) { Sharing.snapshot([data], 10) },
    "writes" => ->(data) { Ratomic::Workers::Processes::PlainData.frame("p", data) }
  }.freeze

  WORK.each do |what, work|
    define_method(:"test_a_thread_that_#{what}_is_killed") do
      random = seeded(what.sum)
      stress(8).times do
        thread = Thread.new { loop { work.call(nested(DEPTH)) } }
        sleep(random.rand * 0.003)
        thread.kill
        within(20) { thread.join }
      end
      assert Ractor.shareable?(MAP[:data])
    end
  end

  private

  def nested(depth)
    depth.zero? ? { "key" => ["value"] } : { depth => nested(depth - 1), "other" => { 1 => [2] } }
  end
end
