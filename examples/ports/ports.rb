# frozen_string_literal: true

# The four patterns of Ractor::Port, each on bare ports and on what Ratomic has for it. All ways have the same three
# methods, so that they can be compared:
#
#   way = Ports::Balance::Bare.new(2)     # workers
#   way.call([1, 2, 3])                   # => [1, 4, 9], the answers in order; nil for one that was lost
#   way.close
module Ports
end

require "ratomic"
require_relative "task"
require_relative "request"
require_relative "balance"
require_relative "channel"
require_relative "one_channel"
require_relative "supervision"
require_relative "comparison"
