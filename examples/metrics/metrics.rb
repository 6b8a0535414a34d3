# frozen_string_literal: true

# Metrics of a CDC pipeline, updated by all of its workers at once. Three keepers of the same numbers:
#
#   Metrics::Shared   a Ratomic::Map and Ratomic::Counters, which all Ractors write to
#   Metrics::Locked   a Hash behind a Mutex, for threads
#   Metrics::Owner    a Hash in a Ractor of its own, to which workers send what they have seen
#
# Metrics::WAYS runs the same lines through each with as many workers.
module Metrics
end

require "ratomic"
require_relative "change"
require_relative "lines"
require_relative "totals"
require_relative "shared"
require_relative "locked"
require_relative "owner"
require_relative "ways"
require_relative "comparison"
