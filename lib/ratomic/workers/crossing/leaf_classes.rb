# frozen_string_literal: true

module Ratomic
  module Workers
    # Classes whose objects are native and refer to nothing that Ruby can reach, like Time, Date and BigDecimal: parsers
    # and databases return them beside plain data. The native walk treats objects of these classes as leaves. It cannot
    # look into any other native object, and then leaves the whole result to the walk in Ruby, which takes ten times as
    # long.
    module LeafClasses
      # Classes that a program may load later, or never.
      LATER = %i[Date DateTime BigDecimal].freeze
      private_constant :LATER

      # Registers the classes that are loaded by now. Called when the library is loaded and when a pool starts. It does
      # nothing in another Ractor than the main one, because only the main Ractor may keep them.
      def self.learn
        return if RACTORS && !Ractor.main?

        Sharing.know_leaf(::Time)
        LATER.each { |name| Sharing.know_leaf(::Object.const_get(name)) if loaded?(name) }
      end

      # Whether the class is loaded. The question itself loads nothing.
      def self.loaded?(name)
        ::Object.const_defined?(name, false) && !::Object.autoload?(name) && ::Class === ::Object.const_get(name)
      end
      private_class_method :loaded?
    end
  end
end

Ratomic::Workers::LeafClasses.learn
