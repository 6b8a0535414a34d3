# frozen_string_literal: true

module Ratomic
  # A bounded first-in first-out queue for many producers and consumers, in any threads of any Ractors.
  #
  #   JOBS = Ratomic::Queue.new(128)
  #   JOBS.push("import")
  #   JOBS.pop              # => "import"
  #   JOBS.pop(timeout: 1)  # => nil
  #
  # A shareable object is stored as it is. Of any other object a frozen deep copy is stored, and the caller's own object
  # is not changed.
  #
  # `push`, `<<`, `pop` and `pop_many` block: the other threads of the Ractor (and the Fibers of a scheduler) run
  # meanwhile, and the wait ends on `Thread#kill`, `Timeout`, an exception from another thread, a signal, and {#close}.
  # If a waiting thread is killed, no item is lost: an item that it had just taken goes back to the front.
  #
  # A Fiber that is left while it waits (its scheduler closes without it, or the thread of its scheduler is killed) goes
  # on waiting. It counts in `num_waiting`, it and a thread that sleeps for it stay in memory, and one item or place
  # later wakes it in vain: the item is still there, and another thread that waits for it sleeps until the next one
  # comes. A queue that is closed wakes all. So end such Fibers before their scheduler (`Fiber#raise`).
  #
  # As with every method of Ruby, a kill can come between the return of a pop and the use of its value. If even that
  # must not lose an item, pop it with interrupts deferred:
  #
  #   Thread.handle_interrupt(Object => :on_blocking) { list << JOBS.pop }
  #
  # `size`, `empty?`, `peek` and `num_waiting` return what was true at one moment. After a fork the child has its own
  # queue with the same items.
  #
  # @!method initialize(capacity)
  #   @param capacity [Integer] items that fit in, 1 to 2**20
  #   @raise [TypeError] unless it is an Integer
  #   @raise [ArgumentError] outside of that range
  #
  # @!method push(item, timeout: nil)
  #   Puts an item at the end, waiting for room.
  #   @param item [Object]
  #   @param timeout [Numeric, nil] seconds; nil waits for ever, 0 never waits
  #   @return [self, nil] nil when the time is up, and the item is not in
  #   @raise [ClosedQueueError] if the queue is closed, or is being closed during the wait
  #   @raise [ShareableError] if the item cannot be made shareable, such as an IO
  #
  # @!method <<(item)
  #   As {#push}, with no limit of time.
  #   @return [self]
  #
  # @!method try_push(item)
  #   As {#push}, without waiting.
  #   @return [Boolean] false if there is no room
  #
  # @!method pop(timeout: nil)
  #   Takes the first item, waiting for one.
  #   @param timeout [Numeric, nil] seconds; nil waits for ever, 0 never waits
  #   @return [Object, nil] nil when the time is up, or when the queue is closed and drained
  #
  # @!method pop_soon(timeout)
  #   As {#pop}, for a thread that expects an item at once. It spins for some microseconds before it sleeps, and gets an
  #   item before threads that sleep.
  #   @param timeout [Numeric, nil] seconds
  #   @return [Object, nil]
  #   @api private
  #
  # @!method try_pop
  #   As {#pop}, without waiting.
  #   @return [Object, nil]
  #
  # @!method pop_many(max, timeout: nil)
  #   Waits for one item and takes what else is there, in one call. Up to 64 items are taken at one moment: no other
  #   thread takes one in between.
  #   @param max [Integer] items at most
  #   @param timeout [Numeric, nil] seconds; nil waits for ever, 0 never waits
  #   @return [Array] the items in order; empty where {#pop} would return nil
  #   @raise [ArgumentError] unless `max` is 1 or more
  #
  # @!method peek
  #   @return [Object, nil] the item that would be popped next; it stays in
  #
  # @!method size
  #   @return [Integer] items in the queue
  #
  # @!method empty?
  #   @return [Boolean]
  #
  # @!method capacity
  #   @return [Integer] items that fit in
  #
  # @!method num_waiting
  #   @return [Integer] threads that wait in a push or a pop
  #
  # @!method clear
  #   Drops every item.
  #   @return [self]
  #
  # @!method close
  #   Refuses every push from now on and wakes every waiting thread. Items in the queue can still be popped. A second
  #   call does nothing.
  #   @return [self]
  #
  # @!method closed?
  #   @return [Boolean]
  #
  # @!method inspect
  #   @return [String] `#<Ratomic::Queue 3 of 128>`
  class Queue
    alias enq push
    alias deq pop
    alias shift pop
    alias length size
    alias max capacity
  end
end
