# frozen_string_literal: true

# Refuses the threads and Ractors that the library asks for, as a system does that has none to give. It does so in every
# Ractor.
module Refusal
  # Begin of a name ("" is of all) => how many are refused, after how many that are granted.
  LEFT = Ratomic::Map.new
  NONE = [0, 0].freeze
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
    refused = LEFT.keys.any? { |start| name.to_s.start_with?(start) && refused?(start) }
    raise ThreadError, MESSAGE if refused
  end

  def self.refused?(start)
    refused = false
    LEFT.compute(start) do |(left, granted)|
      refused = granted.zero? && left.positive?
      [left - (refused ? 1 : 0), [granted - 1, 0].max].freeze
    end
    refused
  end

  Ratomic::Workers.const_get(:OwnThread).singleton_class.prepend(Threads)
  Ractor.singleton_class.prepend(Ractors) if Ratomic::RACTORS

  # Runs the block, in which the next threads and Ractors with such names are refused.
  # @param start [String] with which the names begin
  # @param count [Integer]
  # @param after [Integer] how many are granted before
  def refuse(start, count = 1, after: 0)
    LEFT[start] = [count, after].freeze
    yield
  ensure
    LEFT[start] = NONE # no deletion: another thread may be asking
  end
end
