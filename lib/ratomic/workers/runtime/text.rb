# frozen_string_literal: true

module Ratomic
  module Workers
    # Text for people, of any bytes: messages, names of classes and of pools meet in one line, and two encodings in one
    # String raise.
    module Text
      # @param string [String] of any class and encoding; none of its own methods are called
      # @return [String] a copy in UTF-8, with a mark in the place of what is no text
      def self.of(string)
        text = String.new(string)
        return text.encode(Encoding::UTF_8, invalid: :replace, undef: :replace) unless untold?(text.encoding)

        text.force_encoding(Encoding::UTF_8).scrub
      end

      # Bytes that may be UTF-8, as those of a message that quotes what it has read.
      def self.untold?(encoding)
        [Encoding::UTF_8, Encoding::BINARY, Encoding::US_ASCII].include?(encoding) || encoding.dummy?
      end
      private_class_method :untold?
    end
  end
end
