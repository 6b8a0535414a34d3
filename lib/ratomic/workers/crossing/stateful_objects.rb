# frozen_string_literal: true

module Ratomic
  module Workers
    # Finds objects that must stay mutable (an IO, a logger, a lock, a generator of random numbers) in an object that an
    # error message is about to advise to freeze. Ruby freezes some of these silently, and the program that uses them
    # breaks somewhere else.
    # @api private
    module StatefulObjects
      KINDS = [::IO, Thread, Thread::Mutex, Thread::Queue, Thread::ConditionVariable, Random].freeze
      # Methods by which locks, loggers and streams of any class are known.
      METHODS = %i[synchronize write info].freeze
      # How many objects are searched.
      MAX_OBJECTS = 10_000
      private_constant :KINDS, :METHODS, :MAX_OBJECTS

      class << self
        # @return [Object, nil] the first one in it
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
        rescue UserException # user code that would not be asked
          root
        end

        # @return [String] what to do with an object that holds it
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
