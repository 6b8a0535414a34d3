# frozen_string_literal: true

module Ratomic
  module Workers
    # Shows an error that no caller can rescue, because it was raised in a thread of the library: once for each class of
    # error in a process, with `warn`. After that they are only counted, so that a fault that comes back with each item
    # does not fill the log.
    module ErrorWarning
      # "process class" => true. A forked child is another process, and begins anew.
      SHOWN = Map.new
      private_constant :SHOWN

      # @param failure [Failure] of the error
      # @param place [String] where it was raised
      # @return [Boolean] whether it is the first of its class
      def self.once(failure, place)
        first = false
        name = failure.exception_class
        name = Metrics::ANONYMOUS if name.start_with?("#<") # a program may make any number of them
        SHOWN.fetch_or_store("#{Process.pid} #{name}") { first = true }
        show(failure, place) if first
        first
      end

      # Whatever goes wrong here (a `Warning.warn` of the program, a closed `$stderr`) must not end the caller's thread.
      def self.show(failure, place)
        at = failure.backtrace.first
        warn("ratomic: an error in #{place}: #{failure.exception_class}: #{failure.message}#{" (#{at})" if at}\n" \
             "ratomic: more errors of this class are not shown")
      rescue Exception # rubocop:disable Lint/RescueException -- see above
        nil
      end
      private_class_method :show
    end
    private_constant :ErrorWarning
  end
end
