# frozen_string_literal: true

require_relative "../support/growth"

ASKED = Ratomic::Queue.new(64)
ANSWERS = Ratomic::Queue.new(64)

# Threads of more Ractors than there are processors, which sleep in a Queue again and again, until their Ractors end;
# beside it as many Ractors with a thread that waits for a message.
control = lambda do |count|
  count.times do
    ractors = Array.new(6) { Ractor.new { Thread.new { Ractor.receive }.join } }
    ractors.each { |one| one.send(1) }.each(&:join)
  end
end
Soak::Growth.measure(step: 5, control: control, needs_ractors: true) do |count|
  count.times do
    ractors = Array.new(6) do
      Ractor.new do
        port = Ractor.current.default_port
        thread = Thread.new { 10.times { ANSWERS.push(ASKED.pop) } && port.send(:done) }
        Ractor.receive
        thread.join
      end
    end
    10.times { 6.times { ASKED.push(1) } && 6.times { ANSWERS.pop } }
    ractors.each(&:join)
  end
end
