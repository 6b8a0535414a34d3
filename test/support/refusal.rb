# frozen_string_literal: true

# Refuses the threads and Ractors that the library asks for, as a system does that has none to give. It does so in every
# Ractor.
module Refusal
  # Begin of a name ("" is of all) => how many are refused.
  LEFT = Ratomic::Map.new
  MESSAGE = "can't create Thread: Resource temporarily unavailable"

  # In front of OwnThread.start.
  module Threads
    def start(name = nil, *more, **options, &block)
      Refusal.check(name)
      super
    end
  end

  # In front of Ractor.new.
  module Ractors
    def new(*arguments, name: nil, &block)
      Refusal.check(name)
      super
    end
  end

  def self.check(name)
    return if LEFT.empty?

    asked = LEFT.keys.find { |start| name.to_s.start_with?(start) }
    raise ThreadError, MESSAGE if asked && LEFT.compute(asked) { |left| left - 1 } >= 0
  end

  Ratomic::Workers.const_get(:OwnThread).singleton_class.prepend(Threads)
  Ractor.singleton_class.prepend(Ractors) if Ratomic::RACTORS

  # Runs the block, in which the next threads and Ractors with such names are refused.
  # @param start [String] with which the names begin
  # @param count [Integer]
  def refuse(start, count = 1)
    LEFT[start] = count
    yield
  ensure
    LEFT.delete(start)
  end
end
