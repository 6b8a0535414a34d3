# frozen_string_literal: true

module Ratomic
  module Workers
    # What an object holds, in a few words: for pages and terminals that show what people have put into a context. None
    # of their methods are called, and of what is large only the beginning is looked at.
    module ShortInspect
      # Characters of a String, elements of a collection, and levels.
      TEXT = 200
      ELEMENTS = 8
      DEPTH = 3

      class << self
        # @param object [Object] of any kind
        # @return [String] in UTF-8
        def of(object, depth = 0)
          case object
          when String then text(object)
          when Symbol, Integer, Float, NilClass, TrueClass, FalseClass then object.inspect
          when Array then depth < DEPTH ? "[#{elements(object, depth)}]" : "[...]"
          when Hash then depth < DEPTH ? "{#{pairs(object, depth)}}" : "{...}"
          else Module === object ? Reflection.name_of(object) : "#<#{Reflection.class_name_of(object)}>"
          end
        end

        private

        # Bytes are cut first: a copy of a long String would be made for nothing.
        def text(string)
          short = Text.of(String.new(string).byteslice(0, TEXT * 4))[0, TEXT]
          short.inspect + (string.bytesize > short.bytesize ? "..." : "")
        end

        def elements(array, depth)
          shown = Array.new([array.size, ELEMENTS].min) { |index| of(array[index], depth + 1) }
          shown << "..." if array.size > ELEMENTS
          shown.join(", ")
        end

        def pairs(hash, depth)
          shown = hash.each_pair.first(ELEMENTS).map { |key, value| "#{of(key, depth + 1)} => #{of(value, depth + 1)}" }
          shown << "..." if hash.size > ELEMENTS
          shown.join(", ")
        end
      end
    end
  end
end
