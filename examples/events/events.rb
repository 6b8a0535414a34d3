# frozen_string_literal: true

# JSON events: a seeded generator, a parser that validates, and nothing else to install.
#
#   documents = Events::Generator.new(seed: 7).documents(1_000)   # frozen Strings, 1 % of them malformed
#   future    = Ratomic::Workers.dispatch_async(documents, Events::ParseEvent)
#   future.value                                                  # frozen Hashes, and a Failure where a document is bad
#
# The documents stand for what a consumer of a message broker sees: payments (524 bytes), orders (5 KB), telemetry
# (19 KB) and account statements (78 KB), mixed and shuffled.
module Events
end

require_relative "invalid"
require_relative "check"
require_relative "rules/payment"
require_relative "rules/order"
require_relative "rules/telemetry"
require_relative "rules/statement"
require_relative "parse_event"
require_relative "stages"
require_relative "words"
require_relative "build/moment"
require_relative "build/padding"
require_relative "build/payment"
require_relative "build/order"
require_relative "build/telemetry"
require_relative "build/statement"
require_relative "damage"
require_relative "generator"
require_relative "source"
