# frozen_string_literal: true

module Ratomic
  module Workers
    # Makes a block callable for workers. The `self` of the shareable proc is that of the code around the block if that
    # is shareable (a module), else nil.
    module Blocks
      # @param block [#call]
      # @param what [String] for the message
      # @return [#call] shareable, if this Ruby can make procs shareable
      # @raise [CallableError] if the block uses variables that cannot be shared, or something of a self that cannot be
      def self.share(block, what)
        return block if !(Proc === block) || !Ractor.respond_to?(:shareable_proc) || Ractor.shareable?(block)
        return Named.new(block) if UnshareableReason.symbol?(block)

        Ractor.shareable_proc(self: receiver(block, what), &block)
      rescue ArgumentError, Ractor::Error => e
        refuse(block, what, "#{e.message}; use in it only what it is given, constants, and variables that are frozen " \
                            "and set once")
      end

      # @return [Object, nil] the self of the shareable proc
      def self.receiver(block, what)
        receiver = block.binding.receiver
        return receiver if FrozenCopy.shareable?(receiver)

        used = BlockSelf.used(block, receiver)
        used && refuse(block, what, "it uses #{used} of #{owner(receiver)}, which is not shareable, so self is nil " \
                                    "in the worker; put the value into a local variable (frozen, set once) before " \
                                    "the block, or use a module with `def self.call(item)`; a block that needs no " \
                                    "self is `Ractor.shareable_proc { ... }`")
      rescue ArgumentError # made in C
        nil
      end

      def self.owner(receiver)
        name = Reflection.class_name_of(receiver)
        name == "Object" ? "its self (an Object)" : "its self (an instance of #{name})"
      end

      def self.refuse(block, what, reason)
        raise CallableError, "the #{what} (#{Callable.location(block)}) cannot run in a worker: #{reason}"
      end
      private_class_method :receiver, :owner, :refuse

      # Stands for the proc of a Symbol (`&:upcase`), which cannot be made shareable.
      class Named
        NOTHING = Object.new.freeze
        private_constant :NOTHING

        def initialize(block)
          @name = block.inspect[/\(&:(.*?)\)/, 1].delete_prefix('"').delete_suffix('"').to_sym
          freeze
        end

        # @param object [Object] the item, or the sum of a reduction
        # @param argument [Object] the result that is added to the sum
        def call(object, argument = NOTHING)
          NOTHING.equal?(argument) ? object.public_send(@name) : object.public_send(@name, argument)
        end
      end
      private_constant :Named
    end
    private_constant :Blocks
  end
end
