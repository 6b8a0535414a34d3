# frozen_string_literal: true

module Ratomic
  module Workers
    # The objects that an object refers to, each with the expression that leads to it from there.
    module References
      class << self
        # @yieldparam step [String] "@io", "[2]", "[:key]", "name"
        # @yieldparam child [Object]
        # @return [Array<Array(String, Object)>]
        def of(object, &block)
          list = contents(object) + ivars(object)
          list.each(&block) if block
          list
        end

        # @param path [String] the expression that leads to an object
        # @param step [String] the expression that leads from there to the next
        # @return [String] both as one expression
        def join(path, step)
          path.empty? || step.start_with?("[") ? "#{path}#{step}" : "#{path}.#{step}"
        end

        private

        def contents(object)
          case object
          when Array then object.each_with_index.map { |child, i| ["[#{i}]", child] }
          when Hash then pairs(object) + default(object)
          when Struct then object.each_pair.map { |name, child| [name.to_s, child] }
          when Range then [["begin", object.begin], ["end", object.end]]
          when Proc then [] # Ruby's own error names what a Proc refers to, see Callable
          when Method then [["receiver", object.receiver]]
          else members(object)
          end
        end

        def pairs(hash)
          hash.flat_map do |key, child|
            text = text_of(key)
            [["key #{text}", key], ["[#{text}]", child]]
          end
        end

        # The key's `inspect`, or its class if that raises.
        def text_of(key)
          key.inspect
        rescue UserException
          "#<#{Reflection.class_name_of(key)}>"
        end

        def default(hash)
          [["default_proc", hash.default_proc], ["default", hash.default]].reject { |_, child| nil.equal?(child) }
        end

        def members(object)
          if defined?(::Data) && ::Data.respond_to?(:define) && ::Data === object
            object.to_h.map { |name, child| [name.to_s, child] }
          elsif defined?(::Set) && ::Set === object
            object.map { |child| ["to_a[...]", child] }
          else
            []
          end
        end

        def ivars(object)
          Reflection.variables_of(object).map { |name, child| [name.to_s, child] }
        rescue TypeError # a BasicObject
          []
        end
      end
    end
  end
end
