# frozen_string_literal: true

module Ratomic
  module Workers
    class Web
      # Writes HTML. Everything is escaped, except Markup that this module has made. So no text from an item, a pool or
      # a request can become markup, in whatever place it is written.
      module Html
        # Markup that was made by {tag} or {join}.
        class Markup
          def initialize(text)
            @text = text
            freeze
          end

          def to_s
            @text
          end
        end

        ESCAPES = { "&" => "&amp;", "<" => "&lt;", ">" => "&gt;", '"' => "&quot;", "'" => "&#39;" }.freeze
        EMPTY = %i[meta link input].freeze
        private_constant :ESCAPES, :EMPTY

        module_function

        # @param name [Symbol] of the element
        # @param content [Object] Markup is written as it is, the elements of an Array one after another, nil not at
        #   all, and any other object as text
        # @param attributes [Hash] an attribute that is nil or false is not written; true is written without a value
        # @return [Markup]
        def tag(name, *content, **attributes)
          written = attributes.map { |key, value| attribute(key, value) }.join
          return Markup.new("<#{name}#{written}>") if EMPTY.include?(name)

          Markup.new("<#{name}#{written}>#{join(content)}</#{name}>")
        end

        # @return [Markup]
        def join(*content)
          Markup.new(content.flatten.map { |part| Markup === part ? part.to_s : escape(part) }.join)
        end

        # @return [String] the text as HTML, without the bytes and control characters that HTML does not allow
        def escape(text)
          Text.of(text.to_s).gsub(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/, "\uFFFD").gsub(/[&<>"']/, ESCAPES)
        end

        def attribute(key, value)
          case value
          when nil, false then ""
          when true then " #{key}"
          else " #{key.to_s.tr("_", "-")}=\"#{escape(value)}\""
          end
        end
      end
    end
  end
end
