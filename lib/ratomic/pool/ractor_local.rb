# frozen_string_literal: true

require_relative "waiting"

module Ratomic
  class Pool
    # One value per Ractor under one name, made by the first thread of the Ractor that asks.
    # The storage itself is shareable; the values are in the Ractors' own storage.
    class RactorLocal
      # @param name [Symbol]
      def initialize(name)
        @name = name
        # Where Ruby has no atomic "store if absent" (before 3.4): who takes the one item out may store.
        @permit = Queue.new(1).push(true) unless Ractor.respond_to?(:store_if_absent)
        freeze
      end

      # @return [Object, nil] this Ractor's value
      def value
        Ractor.current[@name]
      end

      # @return [Object] this Ractor's value
      # @yield makes it; must not make that of another storage, since Ruby has one lock for all of them
      def fetch(&make)
        return Ractor.store_if_absent(@name) { make.call } if @permit.nil?

        permit = nil
        begin
          Thread.handle_interrupt(Waiting::ON_BLOCKING) { permit = @permit.pop }
          Ractor.current[@name] ||= make.call
        ensure
          @permit.push(permit) if permit
        end
      end
    end
  end
end
