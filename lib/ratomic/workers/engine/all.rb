# frozen_string_literal: true

# The state that callers, workers and the coordinator of a pool share.

require_relative "accompanied"
require_relative "cancellation"
require_relative "engine"
require_relative "fallback"
require_relative "fallback_engine"
require_relative "lifecycle"
require_relative "local_store"
require_relative "mailbox"
require_relative "owned_results"
require_relative "pool_failures"
require_relative "reserve"
require_relative "result_recorder"
require_relative "run_queue"
require_relative "settings"
require_relative "uncoordinated_engine"
