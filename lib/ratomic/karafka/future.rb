# frozen_string_literal: true

module Ratomic
  module Karafka
    # The payloads of one dispatch.
    class Future
      # How they are retrieved, for Karafka's own class of futures, too.
      module Retrieval
        # @param futures [Array<Workers::Future>] in the order of the messages
        # @param error [Object] the marker in the place of a payload that could not be deserialized
        def initialize(futures, error)
          @futures = futures
          @error = error
          @lock = Mutex.new
        end

        # Waits for the payloads. The same Array each time, from any thread of the main Ractor.
        #
        # @return [Array] in the order of the messages, the marker in the place of those that failed; payloads belong
        #   to the caller, and are not frozen
        def retrieve
          Workers::Interrupts.synchronize(@lock) do
            @payloads ||= @futures.flat_map(&:value).map { |result| look_at(result) }
            @payloads
          end
        end

        private

        def look_at(result)
          result.is_a?(Workers::Failure) ? @error : result
        end
      end

      include Retrieval
    end
  end
end
