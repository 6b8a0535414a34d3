# frozen_string_literal: true

# Which objects may cross to a worker and back, and how.

require_relative "block_self"
require_relative "blocks"
require_relative "callable"
require_relative "calls"
require_relative "compiled_code"
require_relative "constant_lookup"
require_relative "isolation_lint"
require_relative "known_calls"
require_relative "leaf_classes"
require_relative "lexical_scope"
require_relative "moving"
require_relative "own_constants"
require_relative "ractor_capabilities"
require_relative "ractor_local_refs"
require_relative "references"
require_relative "result_freezer"
require_relative "stateful_objects"
require_relative "transfer"
require_relative "unshareable_part"
require_relative "unshareable_reason"
