# frozen_string_literal: true

module Ratomic
  module Workers
    # How items cross to the workers, and results back.
    #
    # What is shareable goes as it is. Any other item goes as a frozen deep copy and the caller's own stays as it was. A
    # result is frozen where it stands, in the Ractor that made it, which nobody else can see. Where the program shares
    # its memory with the item (threads, and what the caller runs itself) the result may be a constant or a memo, so it
    # is copied as well.
    #
    # Plain data is walked natively ({Sharing}); what that leaves is looked over in Ruby, and then left to {FrozenCopy}
    # and `Ractor.make_shareable`. They call the objects' own methods. What has more than 1,000 levels is refused: they
    # call themselves for each, and where the stack ends Ruby may be in the midst of anything.
    module Transfer
      # Takes the place of an item that could not cross.
      class Refused
        attr_reader :failure

        def initialize(failure)
          @failure = failure
          freeze
        end
      end

      # Items with a Refused among them.
      class Holed < Array
      end

      # @param items [Array]
      # @return [Array] frozen and shareable; a Holed with a Refused where an item can neither be shared nor copied
      def self.pack(items)
        return items if Sharing.deep_frozen?(items)

        packed = Sharing.snapshot(items, items.size)
        packed = Array.new(items).freeze if packed.equal?(items)
        return packed if Sharing.deep_frozen?(packed)

        packed = Interrupts.foreign_deferred { items.each_with_index.map { |item, index| cross(item, index) } }
        packed = Holed.new(packed) if packed.any?(Refused)
        packed.freeze
      end

      # Makes results shareable.
      # @param results [Array] a Failure takes the place of a result that cannot be made shareable
      # @param first [Integer] the index of the first
      # @param how [:in_place, :copied] what is done with those that are not shareable, see above
      # @return [Array] the same or another one
      def self.seal(results, first, how = :in_place)
        return results.freeze if Sharing.deep_frozen?(results)

        if how == :in_place
          results.freeze
          return results if Sharing.deep_freeze(results)
        end
        sealed = results.each_with_index.map { |result, offset| seal_one(result, first + offset, how) }
        sealed.freeze
        Sharing.deep_frozen?(sealed) ? sealed : Ractor.make_shareable(sealed)
      end

      def self.cross(item, index)
        return item if Sharing.deep_frozen?(item)

        if String === item && item.instance_of?(String) # shares the text, and is five times faster than the general way
          copy = item.dup.freeze
          return copy if Ractor.shareable?(copy)
        end
        obstacle = Obstacle.forbidden(item)
        return refused(item, index, obstacle) if obstacle

        FrozenCopy.of(item)
      rescue Foreign => e
        refused(item, index, Obstacle.reason(item, e))
      end

      def self.refused(item, index, obstacle)
        kind = Reflection.class_of(item)
        Refused.new(Failure.new(index, ShareableError.name,
                                "the item (#{kind}) can be neither shared nor copied: #{obstacle}; " \
                                "open it inside the callable, or hand over what it is made from"))
      end

      # Makes one result shareable, as {seal}.
      # @return [Object, Failure] the result, or why it cannot be shared
      def self.seal_one(result, index, how = :in_place)
        plain = how == :copied ? Sharing.frozen_copy(result) : Sharing.deep_freeze(result) && result
        return plain if plain

        obstacle = Obstacle.forbidden(result)
        return unsealed(result, index, obstacle) if obstacle

        return result if FrozenCopy.shareable?(result)

        how == :copied ? FrozenCopy.of(result) : FrozenCopy.seal(result)
      rescue Foreign => e
        unsealed(result, index, Obstacle.reason(result, e))
      end

      def self.unsealed(result, index, obstacle)
        kind = Reflection.class_of(result)
        Failure.new(index, ShareableError.name,
                    "the result (#{kind}) cannot be made shareable: #{obstacle}; " \
                    "return what is needed of it as plain data")
      end

      private_class_method :cross, :refused, :unsealed
    end
  end
end
