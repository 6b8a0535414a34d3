# frozen_string_literal: true

module Ratomic
  module Workers
    # How items cross to the workers. (How results come back: {ResultFreezer}.)
    #
    # A shareable item is shared as it is. Of any other item a frozen deep copy crosses; the caller's own object does
    # not change.
    #
    # Plain data (Strings, Arrays, Hashes, and Structs without methods of their own for this) is copied natively
    # ({Sharing}), in a quarter to a third of the time that Ruby takes. Other items are searched natively for objects
    # that Ruby handles wrongly (an IO, a Singleton, a Set, ...); if there are none, all items go to
    # `Ractor.make_shareable` at once. If that raises, or there are such objects, each item is examined by itself in
    # Ruby, which finds the path to the object in the way, and {FrozenCopy} copies the others. Both call methods of the
    # objects, and for one item they may be called twice. Data with more than 1,000 levels is refused: both are
    # recursive, and the stack might overflow in the middle of anything.
    #
    # A callable gets the frozen copy wherever it runs, also in the caller's own thread. If it got the caller's own item
    # there, a callable that changes its item would work in the caller, raise a FrozenError in a worker, and change the
    # caller's data. Nothing cheaper than the copy prevents that.
    module Transfer
      # Stands in the place of an item that could not cross.
      class Refused
        attr_reader :failure

        def initialize(failure)
          @failure = failure
          freeze
        end
      end

      # Items, with a Refused among them.
      class Holed < Array
      end

      # @param items [Array]
      # @return [Array] frozen and shareable; a Holed with a Refused where an item can neither be shared nor copied
      def self.pack(items)
        return items if Sharing.deep_frozen?(items)

        copies, left = Sharing.copies(items)
        copies = Interrupts.exceptions_deferred { cross_all(copies, left) } unless left.empty?
        copies.freeze
      end

      # As {pack}, for one item.
      # @param index [Integer] of the item in its dispatch
      # @return [Object, Refused]
      def self.pack_one(item, index)
        copy = pack([item])[0]
        Refused === copy ? Refused.new(copy.failure.at(index)) : copy
      end

      # Items that were not copied natively are copied by the VM all at once, which takes half the time of one by one.
      # If that raises, they are copied one by one, to find out which item and why.
      # @param items [Array] a new one, in which some have crossed
      # @param left [Array<Integer>] the others
      def self.cross_all(items, left)
        return copy_together(items) || cross_each(items, left) if left.size == items.size

        made = copy_together(left.map { |index| items[index] })
        return cross_each(items, left) unless made

        left.each_with_index { |index, place| items[index] = made[place] }
        items
      end

      # @return [Array, nil] nil if the VM handles an object wrongly, or refuses
      def self.copy_together(items)
        Ractor.make_shareable(items, copy: true) if items.size > 1 && Sharing.ordinary?(items)
      rescue UserException
        nil
      end

      def self.cross_each(items, left)
        left.each { |index| items[index] = cross(items[index], index) }
        items.any?(Refused) ? Holed.new(items) : items
      end

      def self.cross(item, index)
        return item if Sharing.deep_frozen?(item)

        obstacle = UnshareablePart.forbidden(item) unless Sharing.ordinary?(item)
        return refused(item, index, obstacle) if obstacle

        FrozenCopy.of(item)
      rescue UserException => e
        refused(item, index, UnshareablePart.describe(item, e))
      end

      def self.refused(item, index, obstacle)
        kind = Reflection.class_of(item)
        Refused.new(Failure.new(index, ShareableError.name,
                                "the item (#{kind}) can be neither shared nor copied: #{obstacle}; " \
                                "open it inside the callable, or hand over what it is made from"))
      end

      private_class_method :cross_all, :copy_together, :cross_each, :cross, :refused
    end
  end
end
