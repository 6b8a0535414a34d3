# frozen_string_literal: true

require "test_helper"

class SocketRegistryTest < Minitest::Test
  Registry = Ratomic::Workers::Processes::SocketRegistry

  def test_a_child_keeps_only_its_own_sockets
    skip_without_fork
    out = ruby!(<<~RUBY)
      require "ratomic"
      registry = Ratomic::Workers::Processes::SocketRegistry
      ends = Array.new(4) { UNIXSocket.pair }.flatten
      registry.add(*ends)
      registry.close(ends[0])
      registry.forget([ends[3]])
      p ends.map(&:closed?)
      registry.forget([])
      p ends.all?(&:closed?)
    RUBY
    assert_equal "#{[true, true, true, false, *[true] * 4]}\ntrue\n", out
  end

  def test_closing_twice_closes_once
    one, other = UNIXSocket.pair
    Registry.add(one, other)
    Registry.close(one, other)
    assert_predicate one, :closed?
    Registry.close(one)
  end
end
