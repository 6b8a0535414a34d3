# frozen_string_literal: true

require_relative "../runtime/ractor_local"

module Ratomic
  module Workers
    # Keeps owned results that threads of the caller's own Ractor have made. The future cannot keep them, because it is
    # shareable and they are not. They stay here as long as anything refers to their {OwnedResults}.
    class LocalStore
      ALL = RactorLocal.new(:ratomic_workers_owned)
      private_constant :ALL

      # @return [LocalStore] this Ractor's
      def self.here
        ALL.value || ALL.fetch { new }
      end

      def initialize
        @boxes = WEAK_KEYS.new
        @lock = (Thread::Mutex.new if WEAK_KEYS.equal?(WeakKeys)) # Ruby's own needs none
      end

      # @param home [OwnedResults]
      # @param runs [Hash] which may grow
      # @return [void]
      def keep(home, runs)
        locked { @boxes[home] = [runs] }
      end

      # @return [Hash, nil] nil when they were taken
      def take(home)
        locked { @boxes[home]&.shift }
      end

      private

      def locked(&block)
        @lock ? Interrupts.synchronize(@lock, &block) : yield
      end
    end
  end
end
