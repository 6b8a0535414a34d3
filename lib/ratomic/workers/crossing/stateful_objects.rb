# frozen_string_literal: true

module Ratomic
  module Workers
    # Before an error message advises to freeze an object, this module searches it for objects that must stay mutable:
    # an IO, a logger, a lock, a random number generator. Ruby freezes some of these without an error, and then the
    # program fails where it uses them.
    # @api private
    module StatefulObjects
      KINDS = [::IO, Thread, Thread::Mutex, Thread::Queue, Thread::ConditionVariable, Random].freeze
      # An object of any class that has one of these methods counts as a lock, logger or stream.
      METHODS = %i[synchronize write info].freeze
      # Objects after which the search ends without a result.
      MAX_OBJECTS = 10_000
      private_constant :KINDS, :METHODS, :MAX_OBJECTS

      class << self
        # @return [Object, nil] the first such object in `root`
        def in(root)
          seen = {}.compare_by_identity
          left = [root]
          until left.empty? || seen.size > MAX_OBJECTS
            object = left.shift
            next if seen[object] || Module === object || Sharing.deep_frozen?(object)

            seen[object] = true
            return object if live?(object)

            References.of(object) { |_, child| left << child }
          end
        rescue UserException # a method of the program has raised: do not advise to freeze its object
          root
        end

        # @return [String] what to do with an object that holds `object`
        def advice(object)
          "It holds an instance of #{Reflection.class_name_of(object)}, which is not to be frozen: open one inside " \
            "`call`, keep it in a Ratomic::LocalPool, one per worker, or use backend: :thread"
        end

        private

        def live?(object)
          KINDS.any? { |kind| kind === object } || # rubocop:disable Style/CaseEquality -- a BasicObject has no is_a?
            METHODS.any? { |name| Reflection.responds?(object, name) }
        end
      end
    end
  end
end
