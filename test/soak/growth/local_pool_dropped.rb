# frozen_string_literal: true

require_relative "../support/growth"

# What a LocalPool makes.
module Make
  def self.call = []
end

# What a LocalPool keeps in each Ractor: an entry of a WeakKeyMap. Its value outlives the key by one collection, with
# all that it refers to, and the heap grows for it (findings/weak_key_map_values.sh).
Entry = Struct.new(:lock, :slots, :idle, :waiting)
if ObjectSpace.const_defined?(:WeakKeyMap)
  entries = ObjectSpace::WeakKeyMap.new
  control = lambda do |count|
    count.times do
      slots = Array.new(2) { Object.new }
      entries[Object.new] = Entry.new(Thread::Mutex.new, slots, slots.dup, {}.compare_by_identity)
    end
  end
end
# LocalPools made, used and dropped.
Soak::Growth.measure(step: 200, control: control) do |count|
  count.times do
    pool = Ratomic::LocalPool.new(size: 2, factory: Make)
    pool.with { |array| array << 1 }
  end
end
