# frozen_string_literal: true

class Server
  # What the server has done, counted by all of its workers. Frozen and shareable.
  class Figures
    # @return [Ratomic::Counter] connections; requests that were read; that were answered; workers that died
    attr_reader :accepted, :begun, :answered, :crashes
    # @return [Ratomic::Map] answers by status
    attr_reader :statuses

    def initialize
      @accepted, @begun, @answered, @crashes = Array.new(4) { Ratomic::Counter.new }
      @statuses = Ratomic::Map.new
      freeze
    end

    # @return [void]
    def answer(status)
      @statuses.increment(status)
      @answered.increment
    end
  end
end
