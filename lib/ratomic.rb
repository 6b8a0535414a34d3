# frozen_string_literal: true

# Shared primitives and a worker pool for Ruby's Ractors.
#
# Three models of safety:
#
# - {Counter}, {Map} and {Queue} are native, and shared by all Ractors;
# - {Pool} moves a mutable object from owner to owner;
# - {LocalPool} keeps live resources in the Ractor that made them.
#
# {Workers} stands on top of them: a pool of worker Ractors that a library dispatches work to.
module Ratomic
end

require_relative "ratomic/version"
require_relative "ratomic/features"
require_relative "ratomic/experimental"
require_relative "ratomic/first_ractor"
require_relative "ratomic/errors"
require_relative "ratomic/reflection"
require_relative "ratomic/arguments"
require_relative "ratomic/native"
require_relative "ratomic/error_record"
require_relative "ratomic/frozen_copy"
require_relative "ratomic/counter"
require_relative "ratomic/map"
require_relative "ratomic/queue"
require_relative "ratomic/pool"
require_relative "ratomic/local_pool"
require_relative "ratomic/workers"
