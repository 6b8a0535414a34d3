# frozen_string_literal: true

require "json"
require_relative "../words"

module Events
  module Build
    # Brings a document to its size: the list takes elements while there is room, then the note takes words.
    module Padding
      module_function

      # @yield makes one more element
      # @return [Array] elements whose JSON has about `bytes` bytes
      def elements(bytes)
        list = []
        room = bytes
        while room.positive?
          list << yield
          room -= JSON.generate(list.last).bytesize + 1
        end
        list
      end

      # @return [String] JSON of the event with a note that brings it near to `bytes`
      def note(event, bytes, random)
        text = JSON.generate(event.merge(note: ""))
        words = []
        missing = bytes - text.bytesize
        while missing > 2
          words << Words::PROSE.sample(random: random)
          missing -= words.last.bytesize + 1
        end
        JSON.generate(event.merge(note: words.join(" ")))
      end
    end
  end
end
