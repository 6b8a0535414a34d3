# frozen_string_literal: true

module Ratomic
  module Workers
    # A short `inspect` for pages and terminals that show the context of a dispatch. It calls no method that the program
    # has defined, and reads only the beginning of large objects.
    module ShortInspect
      # Limits: characters of a String, elements of a collection, levels of nested collections.
      MAX_CHARACTERS = 200
      MAX_ELEMENTS = 8
      MAX_DEPTH = 3

      class << self
        # @param object [Object] of any kind
        # @return [String] in UTF-8
        def of(object, depth = 0)
          case object
          when String then text(object)
          when Symbol, Integer, Float, Rational, Complex, NilClass, TrueClass, FalseClass then object.inspect
          when Array then depth < MAX_DEPTH ? "[#{elements(object, depth)}]" : "[...]"
          when Hash then depth < MAX_DEPTH ? "{#{pairs(object, depth)}}" : "{...}"
          else Module === object ? Reflection.name_of(object) : "#<#{Reflection.class_name_of(object)}>"
          end
        end

        private

        # Cuts bytes before it cuts characters, so that a long String is not copied as a whole. (A character has at most
        # four bytes.)
        def text(string)
          short = Text.of(String.new(string).byteslice(0, MAX_CHARACTERS * 4))[0, MAX_CHARACTERS]
          short.inspect + (string.bytesize > short.bytesize ? "..." : "")
        end

        def elements(array, depth)
          shown = Array.new([array.size, MAX_ELEMENTS].min) { |index| of(array[index], depth + 1) }
          shown << "..." if array.size > MAX_ELEMENTS
          shown.join(", ")
        end

        def pairs(hash, depth)
          shown = hash.each_pair.first(MAX_ELEMENTS)
          shown.map! { |key, value| "#{of(key, depth + 1)} => #{of(value, depth + 1)}" }
          shown << "..." if hash.size > MAX_ELEMENTS
          shown.join(", ")
        end
      end
    end
  end
end
