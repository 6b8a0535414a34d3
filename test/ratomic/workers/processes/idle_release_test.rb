# frozen_string_literal: true

require "test_helper"

# In processes of their own: others collect here, too.
class IdleReleaseTest < Minitest::Test
  RELEASE = <<~RUBY
    require "ratomic"
    # In the place of a socket: tells whether anybody waited, and whether a request has come.
    Reading = Struct.new(:request, :waits) do
      def wait_readable(_seconds)
        self.waits += 1
        request
      end
    end

    GC.disable
    release = Ratomic::Workers::Processes::IdleRelease.new
    # How often it waited and collected.
    define_method(:await) do |request = nil|
      reading = Reading.new(request, 0)
      before = GC.count
      release.await(reading)
      [reading.waits, GC.count - before]
    end
  RUBY

  def test_after_work_it_collects_once
    out = ruby!("#{RELEASE}GC.enable\nGC.start\np await(true), await, await")
    once = Ratomic::Workers::Processes::AllocationBudget::USEFUL ? 1 : 0
    assert_equal "[1, 0]\n[1, #{once}]\n[0, 0]", out.strip
  end

  def test_without_collections_it_does_not_wait
    assert_equal "[0, 0]", ruby!("#{RELEASE}p await").strip
  end

  def test_it_does_not_collect_while_the_collector_is_disabled
    assert_equal "[1, 0]\ntrue", ruby!("#{RELEASE}GC.start\np await, GC.disable").strip
  end
end
