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
          plain = String.new(string) # a subclass may have methods of its own
          short = Text.of(plain.byteslice(0, MAX_CHARACTERS * 4))[0, MAX_CHARACTERS]
          short.inspect + (plain.bytesize > short.bytesize ? "..." : "")
        end

        def elements(array, depth)
          array = [].replace(array) # as above; it shares the elements
          shown = Array.new([array.size, MAX_ELEMENTS].min) { |index| of(array[index], depth + 1) }
          shown << "..." if array.size > MAX_ELEMENTS
          shown.join(", ")
        end

        def pairs(hash, depth)
          shown = []
          Hash.instance_method(:each_pair).bind_call(hash) do |key, value|
            break shown << "..." if shown.size == MAX_ELEMENTS

            shown << "#{of(key, depth + 1)} => #{of(value, depth + 1)}"
          end
          shown.join(", ")
        end
      end
    end
  end
end
