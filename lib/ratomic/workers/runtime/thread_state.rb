# frozen_string_literal: true

module Ratomic
  module Workers
    # What code can leave behind on the thread that runs it: fiber-local and thread variables, fiber storage, and how
    # the thread reports, aborts and is scheduled. A thread sees only its own fiber's part, so it is read there.
    class ThreadState
      OWN = %i[__ratomic_workers_context__ __ratomic_workers_engines__].freeze
      STORAGE = Fiber.respond_to?(:[]) && Fiber.method_defined?(:storage)
      SETTINGS = %i[report_on_exception abort_on_exception priority].freeze
      private_constant :OWN, :STORAGE, :SETTINGS

      # Of the calling thread and fiber.
      def initialize
        @thread = Thread.current
        @locals = locals
        @variables = variables
        @storage = storage
        @settings = settings
      end

      # @return [Boolean] whether something is not as it was
      def changed?
        !(same?(@locals, locals) && same?(@variables, variables) && same?(@storage, storage) && @settings == settings)
      end

      # Makes it as it was. (Ruby has no way to remove a thread variable: one that was not there is nil.)
      # @return [Boolean] whether something was not
      def restore
        return false unless changed?

        put_back(@locals, locals) { |name, value| @thread[name] = value }
        put_back(@variables, variables) { |name, value| @thread.thread_variable_set(name, value) }
        put_back(@storage, storage) { |name, value| Fiber[name] = value }
        SETTINGS.zip(@settings) { |name, value| @thread.public_send("#{name}=", value) }
        true
      end

      private

      def locals
        @thread.keys.to_h { |name| [name, @thread[name]] }
      end

      def variables
        (@thread.thread_variables - OWN).to_h { |name| [name, @thread.thread_variable_get(name)] }
      end

      def storage
        (STORAGE && Fiber.current.storage) || {}
      end

      def settings
        SETTINGS.map { |name| @thread.public_send(name) }
      end

      def same?(before, now)
        before.size == now.size && before.all? { |name, value| now.key?(name) && value.equal?(now[name]) }
      end

      # @yieldparam value [Object, nil] nil for what was not there
      def put_back(before, now)
        (before.keys | now.keys).each { |name| yield name, before[name] unless before[name].equal?(now[name]) }
      end
    end
  end
end
