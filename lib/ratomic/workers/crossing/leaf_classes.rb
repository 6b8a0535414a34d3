# frozen_string_literal: true

module Ratomic
  module Workers
    # Classes of native objects in which no walk in Ruby finds anything that could be in the way of sharing: what
    # parsers and databases return beside plain data. The native walk knows them by their class. Of any other native
    # object it does not know what is in it, and leaves the whole result to the walk in Ruby, which takes ten times as
    # long.
    module LeafClasses
      # Those that a program may load at any time.
      LATER = %i[Date DateTime BigDecimal].freeze
      private_constant :LATER

      # Has the native walk know those that are loaded. Called when the library is loaded and when a pool starts. Only
      # the main Ractor's classes can be kept where they are: elsewhere it does nothing.
      def self.learn
        return if RACTORS && !Ractor.main?

        Sharing.know_leaf(::Time)
        LATER.each { |name| Sharing.know_leaf(::Object.const_get(name)) if loaded?(name) }
      end

      # Nothing is loaded by asking.
      def self.loaded?(name)
        ::Object.const_defined?(name, false) && !::Object.autoload?(name) && ::Class === ::Object.const_get(name)
      end
      private_class_method :loaded?
    end
  end
end

Ratomic::Workers::LeafClasses.learn
