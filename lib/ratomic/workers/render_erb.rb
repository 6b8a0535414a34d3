# frozen_string_literal: true

require "erb"

module Ratomic
  module Workers
    # A ready-made callable: renders one ERB template with each item. The template sees the item as `page`, and has the
    # methods of ERB::Util (`h`, `u`) and of the helper modules. It is compiled once in each worker, to a method of a
    # class that this worker makes: in a Ruby where classes belong to the Ractor that made them, no other may define
    # methods there.
    #
    #   INVOICE = Ratomic::Workers::RenderERB.new(File.read("invoice.erb"), helpers: Money, filename: "invoice.erb")
    #   Ratomic::Workers.dispatch_async(orders, INVOICE)
    #
    # Frozen and shareable. Make it once for a template and keep it: each worker keeps the compiled template for it.
    class RenderERB
      NUMBERS = Counter.new
      private_constant :NUMBERS

      # @param source [String] the template
      # @param helpers [Module, Array<Module>] the template can call their methods
      # @param trim_mode [String, nil] as for ERB; "-" lets `-%>` end a line without a line end
      # @param filename [String] for backtraces
      # @raise [SyntaxError] with the line and the reason, when the template does not compile
      def initialize(source, helpers: [], trim_mode: "-", filename: "(erb)")
        @source = String.new(source).freeze
        @helpers = (helpers.is_a?(Module) ? [helpers] : [*helpers]).freeze
        @trim_mode = trim_mode.dup.freeze
        @filename = String.new(filename).freeze
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

      private

      def compile
        template = Class.new
        template.include(ERB::Util, *@helpers)
        ERB.new(@source, trim_mode: @trim_mode).def_method(template, "render(page)", @filename)
        template
      end
    end
  end
end
