# frozen_string_literal: true

require "set"

module Ratomic
  # A hash table that every Ractor can read and write.
  #
  #   COUNTS = Ratomic::Map.new
  #   COUNTS.increment("jobs")                    # => 1
  #   COUNTS.compute("jobs") { |value| value * 2 } # => 2
  #
  # Keys are compared as in Hash, by `hash` and `eql?`. Keys and values that are shareable go in as they are, anything
  # else as a frozen deep copy (a String key as Hash copies it); the caller's own object stays as it was. What cannot be
  # made shareable raises {ShareableError} and changes nothing.
  #
  # == Blocks
  #
  # A method with a block is atomic for its key: the block runs once, each caller sees the result of the one before, and
  # if the block does not end normally (it raises, throws, breaks, or its thread is killed) nothing changes. While it
  # runs its key is claimed by this thread:
  #
  # - reads of any key, {#size} and the snapshots go on, and see the value as it was;
  # - writes of other keys go on, also from inside the block;
  # - a write of this key by another thread waits (it lets other threads of its Ractor run, and can be interrupted);
  # - a write of this key from inside the block raises ThreadError;
  # - of threads that would wait for each other's keys in a circle, one gets a ThreadError.
  #
  # A block that hands control to another Fiber and is never resumed keeps its claim until its thread ends. Under a
  # Fiber scheduler another Fiber of the same thread gets a ThreadError for a claimed key. And while one Fiber waits for
  # a claim, the whole thread counts as waiting: another thread can get the ThreadError of a circle that would end.
  #
  # A write that waits for another thread's block takes `timeout:`, in seconds (nil waits for ever, 0 does not wait),
  # and raises {TimeoutError} when the time is up; nothing has changed then. (`map[key] = value` has no room for it, so
  # use {#set}.)
  #
  # == Values that expire
  #
  # {#set}, {#fetch_or_store}, {#compute} and {#put_if_absent} take `expires_in:`, in seconds of a clock that nobody
  # sets (more than 0; nil is for good). After that time the key has no value, for every reader and writer and in every
  # snapshot.
  #
  #   POLICIES.fetch_or_store(tenant, expires_in: 60) { load_policy(tenant) }
  #
  # A method that changes the present value ({#compute}, {#upsert}, {#fetch_and_modify}, {#compare_and_set},
  # {#increment}, {#append} and so on) keeps the time at which it expires, unless a new one is given. {#set} and
  # {#update} replace the time too: without `expires_in:` the new value does not expire.
  #
  # No thread removes expired values. Each write with `expires_in:` looks at 16 places of the map and removes those that
  # have expired there. So of the entries of a cache that is written to, some tenth have expired. {#size} and {#empty?}
  # count these, too. {#remove_expired} removes all of them at once.
  #
  # == Snapshots
  #
  # {#keys}, {#values}, {#to_h}, {#each_pair} and all other methods that look at more than the given keys ({#each},
  # {#select}, {#value?}, all of Enumerable) copy the entries as they are at one moment, in no particular order, and use
  # that copy. Blocks that they call run outside of any claim.
  #
  # == Beside a Hash
  #
  # {#dig}, {#values_at}, {#fetch_values} and {#slice} read key by key: if another thread writes two keys meanwhile,
  # they may see one of the changes only. {#update} and {#delete_if} change many keys: if they raise, nothing has
  # changed.
  #
  # A Map is no Hash: it has no `to_hash`, no default and no order of the entries (so no `shift`), and `==` compares by
  # identity. For methods that return another Hash (`merge`, `transform_values`, `invert`, `except`) call {#to_h} first.
  #
  # After a fork the child has its own map with the same entries.
  #
  # @!method initialize
  #   @raise [ArgumentError] with a block: there is no default. A subclass may take one in an `initialize` of its own
  #
  # @!method get(key)
  #   @return [Object, nil] the value, shared and not copied; nil if there is none
  #
  # @!method set(key, value, timeout: nil, expires_in: nil)
  #   @param expires_in [Numeric, nil] seconds, see above
  #   @return [Object] the value that was given
  #   @raise [TimeoutError] if another thread's block is computing this key for longer
  #   @raise [ShareableError] if key or value cannot be made shareable
  #   @raise [ThreadError] inside a block that computes this key, and for a String as the key that another thread
  #     changes while this one waits
  #
  # @!method key?(key)
  #   @return [Boolean]
  #
  # @!method fetch(key, default = (not given))
  #   @yieldparam key [Object] called if there is no value, outside of any claim
  #   @return [Object] the value, else what the block returns, else the default
  #   @raise [KeyError] with receiver and key, if there is neither value nor block nor default
  #
  # @!method delete(key, timeout: nil)
  #   @yieldparam key [Object] called if there was no value, outside of any claim
  #   @return [Object, nil] the value that was there; else what the block returns, or nil
  #   @raise [TimeoutError] see {#set}
  #   @raise [ThreadError] inside a block that computes this key
  #
  # @!method clear(timeout: nil)
  #   Removes every entry at one moment. Before that it waits for the blocks that were running when it was called. What
  #   a block stores that begins during that wait is removed too. If `clear` raises, nothing has changed.
  #   @return [self]
  #   @raise [ThreadError] inside a block of this map, or if it would close a circle of threads that wait
  #   @raise [TimeoutError] see {#set}
  #
  # @!method size
  #   @return [Integer] entries at this moment, with those that have expired and were not removed yet
  #
  # @!method remove_expired
  #   Removes every value that has expired. Takes as long as it takes to look at all of them; others go on meanwhile.
  #   @return [Integer] how many there were
  #
  # @!method empty?
  #   @return [Boolean]
  #
  # @!method compute(key, timeout: nil, expires_in: nil)
  #   Stores what the block makes of the value.
  #   @yieldparam value [Object, nil] nil if there is none
  #   @return [Object] the new value
  #   @raise [LocalJumpError] without a block
  #
  # @!method upsert(key, initial, timeout: nil)
  #   Stores `initial`, or what the block makes of the value that is there.
  #   @yieldparam value [Object]
  #   @return [Object] the new value
  #   @raise [LocalJumpError] without a block
  #
  # @!method fetch_or_store(key, timeout: nil, expires_in: nil)
  #   Stores what the block returns if there is no value.
  #   @yieldparam key [Object]
  #   @return [Object] the value
  #   @raise [LocalJumpError] without a block
  #
  # @!method fetch_and_modify(key, timeout: nil)
  #   Stores what the block makes of the value. If there is no value, it does nothing, and the block is not called.
  #   @yieldparam value [Object]
  #   @return [Object, nil] the new value, nil if there was none
  #   @raise [LocalJumpError] without a block
  #
  # @!method increment(key, by = 1, timeout: nil)
  #   Adds a number; a missing value counts as 0. Integers and Floats are added with no Ruby call.
  #   @param by [Numeric]
  #   @return [Numeric] the new value
  #   @raise [TypeError] if `by` or the value is not a number; nothing changes then
  #
  # @!method decrement(key, by = 1, timeout: nil)
  #   Subtracts a number, as {#increment} adds one.
  #
  # @!method append(key, element, timeout: nil)
  #   Replaces the Array (a missing one counts as empty) by a frozen one with `element` at its end.
  #   @return [Array] the new value
  #   @raise [TypeError] if the value is not an Array
  #
  # @!method add_to_set(key, element, timeout: nil)
  #   Replaces the Set (a missing one counts as empty) by a frozen one with `element` in it.
  #   @return [Set] the new value
  #   @raise [TypeError] if the value is not a Set
  #
  # @!method compare_and_set(key, expected, new, timeout: nil)
  #   Stores `new` if the value is `==` to `expected`; a missing value counts as nil.
  #   @return [Boolean] whether it did
  #
  # @!method keys
  #   @return [Array]
  #
  # @!method values
  #   @return [Array]
  #
  # @!method each_pair
  #   @yieldparam pair [Array(Object, Object)] key and value
  #   @return [self, Enumerator] an Enumerator without a block
  #
  # @!method inspect
  #   @return [String] `#<Ratomic::Map 2 entries>`
  class Map
    include Enumerable

    alias [] get
    alias []= set
    alias store set
    alias include? key?
    alias member? key?
    alias has_key? key?
    alias length size
    alias put set
    alias compute_if_absent fetch_or_store

    alias snapshot to_h
    private :snapshot

    # A snapshot.
    # @yieldparam key [Object]
    # @yieldparam value [Object]
    # @yieldreturn [Array(Object, Object)] the pair that takes its place, as for `Hash#to_h`
    # @return [Hash] a new, mutable one
    def to_h(&block)
      block ? snapshot.to_h(&block) : snapshot
    end

    # A snapshot, see {#each_pair}.
    # @yieldparam pair [Array(Object, Object)] key and value
    # @return [self, Enumerator] an Enumerator without a block
    def each(&block)
      block ? each_pair(&block) : enum_for(:each) { size }
    end

    # A snapshot.
    # @yieldparam key [Object]
    # @return [self, Enumerator] an Enumerator without a block
    def each_key(&block)
      return enum_for(:each_key) { size } unless block

      keys.each(&block)
      self
    end

    # A snapshot.
    # @yieldparam value [Object]
    # @return [self, Enumerator] an Enumerator without a block
    def each_value(&block)
      return enum_for(:each_value) { size } unless block

      values.each(&block)
      self
    end

    # Reads the value, then what is in it, as `Hash#dig`.
    # @return [Object, nil]
    def dig(key, *rest)
      value = get(key)
      rest.empty? || value.nil? ? value : value.dig(*rest)
    end

    # Reads each key on its own.
    # @return [Array] the values, nil where there is none
    def values_at(*keys)
      keys.map { |key| get(key) }
    end

    # Reads each key on its own, as {#fetch}.
    # @yieldparam key [Object] called for a key without a value
    # @return [Array]
    # @raise [KeyError] for the first key without a value, if there is no block
    def fetch_values(*keys, &block)
      keys.map { |key| fetch(key, &block) }
    end

    # Reads each key on its own.
    # @return [Hash] those of the keys that have a value
    def slice(*keys)
      missing = Object.new
      keys.each_with_object({}) do |key, found|
        value = fetch(key, missing)
        found[key] = value unless missing.equal?(value)
      end
    end

    # A snapshot.
    # @return [Boolean] whether a value is `==` to it
    def value?(value)
      values.include?(value)
    end
    alias has_value? value?

    # A snapshot.
    # @return [Object, nil] a key whose value is `==` to it
    def key(value)
      each_pair { |key, other| return key if other == value }
      nil
    end

    # As Enumerable has it; without arguments and block the number of entries.
    # @return [Integer]
    def count(*item, &block)
      item.empty? && !block ? size : super
    end

    # As Enumerable has it; without arguments and block whether there is an entry.
    # @return [Boolean]
    def any?(*pattern, &block)
      pattern.empty? && !block ? !empty? : super
    end

    # A snapshot.
    # @yieldparam key [Object]
    # @yieldparam value [Object]
    # @return [Hash, Enumerator] as `Hash#select`: a new one of the entries for which the block is true
    def select(&block)
      block ? snapshot.select(&block) : enum_for(:select) { size }
    end
    alias filter select

    # As {#select}, of the entries for which the block is not true.
    # @return [Hash, Enumerator]
    def reject(&block)
      block ? snapshot.reject(&block) : enum_for(:reject) { size }
    end

    # A snapshot.
    # @return [Hash] a new one of the entries whose value is not nil
    def compact
      snapshot.compact
    end

    # Stores the value if there is none.
    # @param expires_in [Numeric, nil] seconds, see above
    # @return [Object, nil] the value that is there and stays; nil if this one was stored
    # @raise [TimeoutError, ShareableError, ThreadError] as {#set}
    def put_if_absent(key, value, timeout: nil, expires_in: nil)
      stored = false
      present = fetch_or_store(key, timeout: timeout, expires_in: expires_in) do
        stored = true
        value
      end
      stored ? nil : present
    end

    # Stores the value in place of the one that is there.
    # @return [Object, nil] the value before; nil if there was none
    # @raise [TimeoutError, ShareableError, ThreadError] as {#set}
    def get_and_set(key, value, timeout: nil, expires_in: nil)
      before = nil
      compute(key, timeout: timeout, expires_in: expires_in) do |present|
        before = present
        value
      end
      before
    end

    # Stores the value if there is one already.
    # @return [Object, nil] the value before; nil if there was none, and then nothing is stored
    # @raise [TimeoutError, ShareableError, ThreadError] as {#set}
    def replace_if_exists(key, value, timeout: nil)
      before = nil
      fetch_and_modify(key, timeout: timeout) do |present|
        before = present
        value
      end
      before
    end

    # Stores all pairs of one or more Hashes or Maps. If several have the same key, the last one counts. With a block, a
    # key that is present gets what the block makes of its present value and the new one, atomically as in {#compute};
    # the blocks of all keys run one after another. It waits for other threads' blocks on these keys, and claims all of
    # them until it has stored all values. If it raises, nothing has changed. While it stores, other threads may see
    # some of the new values and not yet the others.
    #
    #   map.update({ "a" => 1 }, timeout: 0.5) { |_key, present, new| present + new }
    #
    # @param others [Hash, Map, #to_hash] if none is given, the keywords are the pairs
    # @param timeout [Numeric, nil] seconds for all of it
    # @yieldparam key [Object]
    # @yieldparam present [Object]
    # @yieldparam new [Object]
    # @return [self]
    # @raise [ShareableError] if a key or value cannot be made shareable
    # @raise [ThreadError] inside a block that computes one of these keys, or if it would close a circle
    # @raise [TimeoutError] see {#set}
    def update(*others, **options, &block)
      if others.empty?
        others = [options]
      else
        timeout = timeout_of(options)
      end
      groups = {}
      others.each { |other| pairs_of(other).each_pair { |key, value| (groups[key] ||= []) << value } }
      groups.transform_values! { |values| values.last(1) } unless block
      put_all(groups, timeout, &block)
    end
    alias merge! update

    # Calls the block for the entries of a snapshot, and then removes those for which it was true. An entry stays if its
    # value has changed since the snapshot, or if another thread's block is computing its key. Does not wait. If the
    # block raises, or leaves by break, nothing has changed.
    # @yieldparam key [Object]
    # @yieldparam value [Object]
    # @return [self, Enumerator] an Enumerator without a block
    # @raise [ThreadError] inside a block that computes one of them
    def delete_if
      return enum_for(:delete_if) { size } unless block_given?

      remove { |key, value| yield(key, value) }
      self
    end

    # As {#delete_if}.
    # @return [self, nil, Enumerator] nil if nothing was removed
    def reject!
      return enum_for(:reject!) { size } unless block_given?

      self if remove { |key, value| yield(key, value) }.positive?
    end

    # As {#delete_if}, for the entries for which the block is not true.
    # @return [self, Enumerator]
    def keep_if
      return enum_for(:keep_if) { size } unless block_given?

      remove { |key, value| !yield(key, value) }
      self
    end

    # As {#keep_if}.
    # @return [self, nil, Enumerator] nil if nothing was removed
    def select!
      return enum_for(:select!) { size } unless block_given?

      self if remove { |key, value| !yield(key, value) }.positive?
    end
    alias filter! select!

    private

    # @return [Integer] how many were removed
    def remove
      keys = []
      values = []
      each_pair do |key, value|
        next unless yield(key, value)

        keys << key
        values << value
      end
      remove_same(keys, values)
    end

    def timeout_of(options)
      unknown = options.keys - [:timeout]
      raise ArgumentError, "unknown keyword: #{unknown.map(&:inspect).join(", ")}" unless unknown.empty?

      options[:timeout]
    end

    def pairs_of(other)
      return other if Map === other

      Hash.try_convert(other) ||
        raise(TypeError, "no implicit conversion of #{Reflection.class_name_of(other)} into Hash")
    end
  end
end
