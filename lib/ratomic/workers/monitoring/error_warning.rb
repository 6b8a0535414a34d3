# frozen_string_literal: true

module Ratomic
  module Workers
    # Shows, with `warn`, an error that was raised in a thread of the library, where no caller can rescue it. Only the
    # first error of each class in a process is shown. The others are only counted ({Metrics#trouble}), so that a fault
    # that comes back with each item does not fill the log.
    module ErrorWarning
      # "pid class" => true. With the pid in its keys a forked child shows errors again.
      SHOWN = Map.new
      private_constant :SHOWN

      # @param failure [Failure] of the error
      # @param place [String] where it was raised
      # @return [Boolean] whether it is the first of its class
      def self.once(failure, place)
        first = false
        name = failure.exception_class
        name = Metrics::ANONYMOUS if name.start_with?("#<") # a program may make any number of such classes
        SHOWN.fetch_or_store("#{Process.pid} #{name}") { first = true }
        show(failure, place) if first
        first
      end

      # An error in here (from the program's own `Warning.warn`, or a closed `$stderr`) must not end the thread that
      # reports.
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
