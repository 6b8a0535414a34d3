# frozen_string_literal: true

module Ratomic
  module Compat
    module Avro
      # The texts of schemas by their ids, from a Hash or from a callable. The callable is called once for each id in a
      # process. Frozen, and shareable if the callable is.
      class SchemaTexts
        # @param source [Hash{Integer => String}, #call]
        # @raise [TypeError]
        def initialize(source)
          @texts = Map.new
          if Hash === source
            source.each { |id, text| @texts[check_id(id)] = check_text(id, text) }
          else
            raise TypeError, "schemas must be a Hash or have a method `call`" unless Reflection.responds?(source, :call)

            @source = source
          end
          freeze
        end

        # @return [Array<Integer>] ids whose texts have been looked up
        def ids
          @texts.keys
        end

        # @param id [Integer]
        # @return [String] JSON
        # @raise [Workers::DecodeAvro::SchemaError] there is none
        # @raise [StandardError] what the callable raises; it is asked again then
        def [](id)
          @texts[id] || @texts.fetch_or_store(id) { ask(id) }
        end

        private

        def ask(id)
          text = @source&.call(id)
          raise Workers::DecodeAvro::SchemaError, unknown(id) if text.nil?

          check_text(id, text)
        end

        def unknown(id)
          return "there is no schema #{id}: #{@source.class} returned nil" if @source

          "there is no schema #{id}, only #{ids.sort.join(", ")}"
        end

        def check_id(id)
          Integer === id ? id : raise(TypeError, "the id of a schema must be an Integer, not #{id.inspect}")
        end

        def check_text(id, text)
          String === text ? text : raise(TypeError, "schema #{id} must be a String, not an instance of #{text.class}")
        end
      end
    end
  end
end
