# frozen_string_literal: true

# The coordinator of a pool, its parts, and the backends.

require_relative "backend"
require_relative "coordinator"
require_relative "departing_workers"
require_relative "heap_collector"
require_relative "move_buffer"
require_relative "timer_queue"
require_relative "timer_thread"
require_relative "watchdog"
require_relative "worker_registry"
