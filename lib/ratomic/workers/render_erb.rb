# frozen_string_literal: true

require "erb"

module Ratomic
  module Workers
    # A ready-made callable: renders one ERB template with each item. The template sees the item as `page`, and has the
    # methods of ERB::Util (`h`, `u`) and of the helper modules. As in plain ERB `<%= %>` does not escape.
    #
    # The template is compiled once in each worker, to a method of a class that this worker makes: in a Ruby where
    # classes belong to the Ractor that made them, no other may define methods there.
    #
    #   INVOICE = Ratomic::Workers::RenderERB.new(File.read("invoice.erb"), helpers: Money, filename: "invoice.erb")
    #   Ratomic::Workers.dispatch_async(orders, INVOICE)
    #
    # Frozen and shareable. Make it once for a template and keep it: each worker keeps the compiled template for it.
    class RenderERB
      NUMBERS = Counter.new
      private_constant :NUMBERS

      # @param source [String] the text of the template: of a file `File.read(path)`
      # @param helpers [Module, Array<Module>] the template can call their methods
      # @param trim_mode [String, nil] as for ERB; "-" lets `-%>` end a line without a line end
      # @param filename [String, Pathname] for backtraces
      # @raise [SyntaxError] with the line and the reason, when the template does not compile
      # @raise [TypeError] which names the argument
      def initialize(source, helpers: [], trim_mode: "-", filename: "(erb)")
        @source = text(source, "the template")
        @helpers = modules(helpers)
        @trim_mode = trim_mode.dup.freeze
        @filename = text(filename.respond_to?(:to_path) ? filename.to_path : filename, "filename:")
        @slot = :"__ratomic_erb_#{NUMBERS.increment}__"
        compile # or each item would find out, and compile it again
        Ractor.make_shareable(self)
      end

      # @param page [Object] what the template calls `page`; of a dispatch it is frozen
      # @return [String] frozen
      def call(page)
        # A new one for each page: what a template keeps in instance variables is not for other pages to see.
        (Ractor.current[@slot] ||= compile).new.render(page).freeze
      end

      # @return [String]
      def inspect
        "#<#{self.class} #{@filename}>"
      end

      private

      # @return [String] frozen
      def text(given, name)
        return String.new(given).freeze if given.respond_to?(:to_str)

        raise TypeError, "#{name} must be a String, not #{Reflection.class_of(given)}"
      end

      # @return [Array<Module>] frozen
      def modules(given)
        list = Module === given ? [given] : [*given]
        list.each do |helper|
          next if helper.instance_of?(Module)

          raise TypeError, "helpers: must be modules, not #{Reflection.class_of(helper)}"
        end
        list.freeze
      end

      def compile
        template = Class.new
        template.include(ERB::Util, *@helpers)
        ERB.new(@source, trim_mode: @trim_mode).def_method(template, "render(page)", @filename)
        template
      end
    end
  end
end
