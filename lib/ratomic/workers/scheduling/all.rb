# frozen_string_literal: true

# What work costs, who runs it, in chunks of what size.

require_relative "bounded_cache"
require_relative "caller_contention"
require_relative "chunker"
require_relative "costs"
require_relative "route_chooser"
require_relative "work_estimate"
