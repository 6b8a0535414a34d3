# frozen_string_literal: true

module Ratomic
  module Workers
    # Ruby's own answers about an object that may have methods of those names itself (a request has a `method`), or none
    # (a BasicObject).
    module Reflection
      share = ->(method) { RACTORS ? ::Ractor.make_shareable(method) : method }
      CLASS = share.call(Kernel.instance_method(:class))
      METHOD = share.call(Kernel.instance_method(:method))
      private_constant :CLASS, :METHOD

      # @return [Class]
      def self.class_of(object)
        CLASS.bind_call(object)
      end

      # @return [Method]
      # @raise [NameError]
      def self.method_of(object, name)
        METHOD.bind_call(object, name)
      end
    end
  end
end
