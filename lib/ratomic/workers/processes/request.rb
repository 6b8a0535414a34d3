# frozen_string_literal: true

module Ratomic
  module Workers
    module Processes
      # A request to a worker process: to run some items of a dispatch, one after the other or in one call.
      class Request
        # Letters of a request's frame. They say whether the items are frozen; items that were moved (`move: true`) are
        # not. The capital letters mean that the whole request is plain data.
        FROZEN = "f"
        OPEN = "o"
        EACH = 0
        RUN = 1

        attr_reader :callable, :items

        # @param kind [Integer] EACH or RUN
        # @param batch [Batch]
        # @param first [Integer] index of the first item
        # @param limit [Integer, nil] nanoseconds after which it stops between two items
        def initialize(kind, callable, batch, items, first, limit)
          @kind = kind
          @callable = callable
          @batch = batch
          @items = items
          @first = first
          @limit = limit
        end

        # @param number [Integer] of the callable
        # @param definition [String, nil] of a callable that the process does not know
        # @param megabytes [Numeric, nil] see {Settings}
        # @return [String, nil] the bytes; nil if an item of a run cannot be written, or if all items together are too
        #   long. Then the items are sent one by one.
        # @raise [ShareableError] when the context cannot be written
        def to_frame(number, definition, megabytes)
          context = @batch.options.context
          head = [@kind, number, definition, context, @first, @limit, @batch.owned?, megabytes]
          letter = @batch.moved? ? OPEN : FROZEN
          plain = PlainData.frame(letter.upcase, [*head, @items])
          return plain if plain

          bytes = Wire.dump([*head, @items])
          bytes ||= @kind == EACH ? Wire.dump([*head, writable]) || refuse(context) : return
          return Wire.frame(letter, bytes) unless Wire.too_long?(bytes)

          Wire.frame(letter, Wire.dump([*head, [refused(@first, Wire.too_long(bytes))]])) if @kind == EACH && single?
        end

        # Whether its results are frozen.
        def frozen_results?
          !@batch.owned?
        end

        # Whether all its results come at its end.
        def single?
          @kind == RUN || @items.size == 1
        end

        # @param letter [String] of its frame
        # @return [Array] the arguments for {Server::Order}
        # @raise what Marshal raises for classes that this process does not have
        def self.read(letter, bytes)
          frozen = frozen_results?(letter)
          return PlainData.load(bytes, frozen) unless [FROZEN, OPEN].include?(letter)

          Marshal.load(bytes, freeze: frozen)
        end

        # @param letter [String] of its frame
        def self.frozen_results?(letter)
          letter.casecmp?(FROZEN)
        end

        private

        def writable
          @items.map.with_index(@first) do |item, index|
            Wire.dump(item) ? item : refused(index, obstacle(item))
          end
        end

        # Stands for an item that is not sent.
        def refused(index, message)
          Transfer::Refused.new(Failure.new(index, ShareableError.name, message))
        end

        def obstacle(item)
          "the item (#{Reflection.class_of(item)}) cannot cross to a worker process (Marshal): " \
            "#{Wire.obstacle(item)}; open it inside the callable, or pass what it is made from"
        end

        def refuse(context)
          raise ShareableError, "context: cannot cross to a worker process (Marshal): #{Wire.obstacle(context)}"
        end
      end
    end
  end
end
