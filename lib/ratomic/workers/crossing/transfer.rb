# frozen_string_literal: true

module Ratomic
  module Workers
    # How items cross to the workers, and results back.
    #
    # What is shareable goes as it is. Any other item goes as a frozen deep copy and the caller's own stays as it was. A
    # result is frozen where it stands, in the worker that made it. Plain data is walked natively ({Sharing}); what that
    # leaves is looked over in Ruby, and then left to `Ractor.make_shareable`. That calls the objects' own methods, and
    # goes down as far as the stack lasts (in a thread through some thousand levels).
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
        return packed if Sharing.deep_frozen?(packed) || shareable?(packed)

        packed = Interrupts.foreign_deferred { items.each_with_index.map { |item, index| cross(item, index) } }
        packed = Holed.new(packed) if packed.any?(Refused)
        packed.freeze
      end

      # Freezes results where they stand.
      # @param results [Array] changed: a Failure takes the place of a result that cannot be made shareable
      # @param first [Integer] the index of the first
      # @return [Array] the same, shareable
      def self.seal(results, first)
        results.freeze
        return results if Sharing.deep_freeze(results)

        Ractor.make_shareable(results.each_with_index.map { |result, offset| seal_one(result, first + offset) })
      end

      def self.cross(item, index)
        return item if shareable?(item)

        if item.instance_of?(String) # shares the text, and is five times faster than the general way
          copy = item.dup.freeze
          return copy if Ractor.shareable?(copy)
        end
        obstacle = Obstacle.forbidden(item)
        return refused(item, index, obstacle) if obstacle

        Ractor.make_shareable(item, copy: true)
      rescue Foreign => e
        refused(item, index, reason(item, e))
      end

      def self.refused(item, index, obstacle)
        kind = Reflection.class_of(item)
        Refused.new(Failure.new(index, ShareableError.name,
                                "the item (#{kind}) can be neither shared nor copied: #{obstacle}; " \
                                "open it inside the callable, or hand over what it is made from"))
      end

      # Freezes one result where it stands.
      # @return [Object, Failure] the result, or why it cannot be shared
      def self.seal_one(result, index)
        return result if Sharing.deep_freeze(result) || shareable?(result)

        obstacle = Obstacle.forbidden(result)
        obstacle ? unsealed(result, index, obstacle) : Ractor.make_shareable(result)
      rescue Foreign => e
        unsealed(result, index, reason(result, e))
      end

      def self.unsealed(result, index, obstacle)
        kind = Reflection.class_of(result)
        Failure.new(index, ShareableError.name,
                    "the result (#{kind}) cannot be made shareable: #{obstacle}; " \
                    "return what is needed of it as plain data")
      end

      def self.shareable?(object)
        Ractor.shareable?(object)
      rescue SystemStackError
        false
      end

      def self.reason(object, error)
        SystemStackError === error ? "it is nested too deeply" : Obstacle.in(object) || error
      end
      private_class_method :cross, :refused, :unsealed, :shareable?, :reason
    end
  end
end
