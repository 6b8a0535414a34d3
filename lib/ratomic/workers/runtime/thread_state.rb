# frozen_string_literal: true

module Ratomic
  module Workers
    # The state of a thread that code running in it can change: fiber-local and thread variables, fiber storage,
    # priority, and whether it reports and aborts on exceptions. Make and use an object in the same thread and fiber,
    # because only the fiber itself can read its variables. It is made for each dispatch that a caller runs itself; if
    # the thread has no variables, as most have, that takes some hundred nanoseconds.
    class ThreadState
      # Variables of Ratomic itself.
      OWN = %i[__ratomic_workers_context__ __ratomic_workers_engines__ __ratomic_workers_locals__
               ratomic_local_pool_lent].freeze
      STORAGE = Fiber.respond_to?(:[]) && Fiber.method_defined?(:storage)
      NOTHING = {}.freeze
      private_constant :OWN, :STORAGE, :NOTHING

      # Records the state of the calling thread and fiber.
      def initialize
        @thread = thread = Thread.current
        @report = thread.report_on_exception
        @abort = thread.abort_on_exception
        @priority = thread.priority
        @locals = thread.keys.empty? ? NOTHING : locals
        @variables = thread.thread_variables.empty? ? NOTHING : variables
        @storage = storage
      end

      # @return [Boolean] whether something has changed since {#initialize}
      def changed?
        thread = @thread
        !(@priority == thread.priority && @report == thread.report_on_exception &&
          @abort == thread.abort_on_exception &&
          ((@locals.equal?(NOTHING) && thread.keys.empty?) || same?(@locals, locals)) &&
          ((@variables.equal?(NOTHING) && thread.thread_variables.empty?) || same?(@variables, variables)) &&
          same_storage?)
      end

      # Restores all of it. (Ruby cannot remove a thread variable: one that was not there becomes nil.)
      # @return [Boolean] whether something had changed
      def restore
        return false unless changed?

        put_back(@locals, locals) { |name, value| @thread[name] = value }
        put_back(@variables, variables) { |name, value| @thread.thread_variable_set(name, value) }
        put_back(@storage || NOTHING, storage || NOTHING) { |name, value| Fiber[name] = value }
        @thread.report_on_exception = @report
        @thread.abort_on_exception = @abort
        @thread.priority = @priority
        true
      end

      private

      def locals
        (@thread.keys - OWN).to_h { |name| [name, @thread[name]] }
      end

      def variables
        (@thread.thread_variables - OWN).to_h { |name| [name, @thread.thread_variable_get(name)] }
      end

      # @return [Hash, nil]
      def storage
        STORAGE ? Fiber.current.storage : nil
      end

      def same_storage?
        now = storage
        now.nil? ? @storage.nil? : same?(@storage || NOTHING, now)
      end

      def same?(before, now)
        before.size == now.size && before.all? { |name, value| now.key?(name) && value.equal?(now[name]) }
      end

      # @yieldparam value [Object, nil] nil if the variable did not exist
      def put_back(before, now)
        (before.keys | now.keys).each { |name| yield name, before[name] unless before[name].equal?(now[name]) }
      end
    end
  end
end
