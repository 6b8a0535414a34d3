# frozen_string_literal: true

# Statistics, events to subscribers, and the text format of Prometheus.

require_relative "error_warning"
require_relative "figures"
require_relative "history"
require_relative "last_failures"
require_relative "metrics"
require_relative "names"
require_relative "prometheus"
require_relative "running"
require_relative "short_inspect"
require_relative "snapshot"
require_relative "stats"
require_relative "subscribers"
