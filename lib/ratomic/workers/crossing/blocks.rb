# frozen_string_literal: true

module Ratomic
  module Workers
    # Makes a block callable for workers. The `self` of the shareable proc is that of the code around the block if that
    # is shareable (a module), else nil.
    module Blocks
      # @param block [#call]
      # @param what [String] for the message
      # @return [#call] shareable, if this Ruby can make procs shareable
      # @raise [CallableError] if the block uses variables that cannot be shared
      def self.share(block, what)
        return block if !(Proc === block) || !Ractor.respond_to?(:shareable_proc) || Ractor.shareable?(block)
        return Named.new(block) if UnshareableReason.symbol?(block)

        Ractor.shareable_proc(self: receiver(block), &block)
      rescue ArgumentError, Ractor::Error => e
        raise CallableError, "the #{what} (#{Callable.location(block)}) cannot run in a worker: #{e.message}; use in " \
                             "it only what it is given, constants, and variables that are frozen and set once"
      end

      def self.receiver(block)
        receiver = block.binding.receiver
        receiver if Ractor.shareable?(receiver)
      rescue ArgumentError # made in C
        nil
      end
      private_class_method :receiver

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
