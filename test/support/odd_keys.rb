# frozen_string_literal: true

# Keys that users write: frozen objects with their own `hash` and `eql?`.
module OddKeys
  # Equal by a number; every one has the same hash, on purpose.
  Colliding = Struct.new(:number) do
    def hash = 7
    def eql?(other) = other.is_a?(Colliding) && number == other.number
  end

  # A key whose `hash` is what CODE says at the moment.
  class Shifting
    CODE = Ratomic::Counter.new

    def hash = CODE.read
    def eql?(other) = equal?(other)
  end

  # A shareable key whose `hash` and `eql?` call what the thread-local `:odd` holds: shareable objects can hold no block
  # that captures anything.
  class Hooked
    attr_reader :name

    def initialize(name)
      @name = name
      Ractor.make_shareable(self)
    end

    def hash
      Thread.current[:odd_hash]&.call(self)
      name.length
    end

    def eql?(other)
      Thread.current[:odd_eql]&.call(self, other)
      other.is_a?(Hooked) && name == other.name
    end

    # Runs the block while keys call `hash` and `eql`.
    def self.calling(hash: nil, eql: nil)
      Thread.current[:odd_hash] = hash
      Thread.current[:odd_eql] = eql
      yield
    ensure
      Thread.current[:odd_hash] = Thread.current[:odd_eql] = nil
    end
  end
end
