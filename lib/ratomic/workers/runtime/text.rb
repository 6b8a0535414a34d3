# frozen_string_literal: true

module Ratomic
  module Workers
    # Makes text for people of any bytes. Messages, names of classes and names of pools come together in one line, and
    # Ruby raises when two encodings meet in one String.
    module Text
      # @param string [String] of any class and encoding; none of its own methods are called
      # @return [String] a copy in UTF-8, with a replacement character for invalid bytes
      def self.of(string)
        text = String.new(string)
        return text.encode(Encoding::UTF_8, invalid: :replace, undef: :replace) unless untold?(text.encoding)

        text.force_encoding(Encoding::UTF_8).scrub
      end

      # @param string [String] as for {of}
      # @param characters [Integer] at least 100
      # @return [String] a copy in UTF-8 with at most so many characters, which tells the size of what was longer
      def self.short(string, characters)
        plain = String.new(string)
        head = plain.byteslice(0, characters * 4) # a character has at most four bytes
        text = of(head)
        return text if text.size <= characters && head.bytesize == plain.bytesize

        note = "... (#{plain.bytesize} bytes in all)"
        "#{text[0, characters - note.size]}#{note}"
      end

      # Whether the encoding does not tell what the bytes are. They may be UTF-8 (in a message that quotes input), or
      # invalid.
      def self.untold?(encoding)
        [Encoding::UTF_8, Encoding::BINARY, Encoding::US_ASCII].include?(encoding) || encoding.dummy?
      end
      private_class_method :untold?
    end
  end
end
