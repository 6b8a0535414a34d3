# frozen_string_literal: true

module Ratomic
  module Workers
    # A Ractor-local variable (as a thread-local one): one value for each Ractor, made by the first thread of the Ractor
    # that asks for it. This object is shareable; the values are in the Ractors' own storage.
    class RactorLocal
      # @param name [Symbol]
      def initialize(name)
        @name = name
        # Before Ruby 3.4 there is no atomic store_if_absent: the thread that has claimed a key of this Map may store.
        # A forked child forgets the claims of threads that it does not have.
        @claims = Map.new unless Ractor.respond_to?(:store_if_absent)
        freeze
      end

      # @return [Object, nil] this Ractor's value
      def value
        Ractor.current[@name]
      end

      # @return [Object] this Ractor's value
      # @yield makes it; must not make the value of another RactorLocal, because Ruby has one lock for all of them
      def fetch(&make)
        return Ractor.store_if_absent(@name) { make.call } if @claims.nil?

        @claims.compute(:store) do
          Ractor.current[@name] ||= make.call
          nil
        end
        value
      end
    end
  end
end
