# frozen_string_literal: true

# Ruby's own events: exit, fork, signals, interrupts, ends of threads and Ractors, time.

require_relative "at_exit"
require_relative "clock"
require_relative "exit_hooks"
require_relative "fork_hook"
require_relative "interrupts"
require_relative "own_thread"
require_relative "ractor_local"
require_relative "reaper"
require_relative "start_promise"
require_relative "text"
require_relative "thread_state"
require_relative "trap"
require_relative "user_exception"
require_relative "weak_keys"
