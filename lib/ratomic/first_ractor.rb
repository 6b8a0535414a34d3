# frozen_string_literal: true

module Ratomic
  # Keeps Ruby 4.0.6 and older from a crash after the first Ractor of a process (Ruby's Bug 22242).
  #
  # With its first Ractor a process prepends a module to Kernel, for `require`. That makes the cached calls of Kernel's
  # methods invalid: each looks up its method anew. But a class that then caches another method copies its table without
  # the invalid entries, and nothing tells the calls that hold these. A minor collection may free the method that such a
  # call points to, and the next call crashes.
  #
  # A full collection between the two tells all calls. It takes as long as `GC.start`, once for each process (a forked
  # child that makes Ractors is one).
  # @api private
  module FirstRactor
    # @return [Boolean] whether this Ruby may have the fault
    def self.needed?
      RACTORS && !HEAP_PER_RACTOR && Ractor.respond_to?(:_activated, true)
    end

    # @return [void]
    def self.install
      return if Ractor.respond_to?(:activate_without_ratomic, true) # this file was loaded before

      class << Ractor
        alias_method :activate_without_ratomic, :_activated

        # The VM calls this when a process makes its first Ractor, before that starts.
        def _activated
          activate_without_ratomic
          GC.start
        end
        private :_activated
      end
    end
  end
end

Ratomic::FirstRactor.install if Ratomic::FirstRactor.needed?
