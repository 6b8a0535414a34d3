# frozen_string_literal: true

module Ratomic
  module Workers
    # What keeps an object from being shared between Ractors, and where in it: `@handler.@io`, an IO.
    #
    # Ruby itself says only that the whole is not shareable. It also makes some things shareable that must not be: an IO
    # is frozen in place (nobody can write to it any more) or, with `copy: true`, opened a second time; the instance of
    # a Singleton is frozen for the whole process. Those are found here and refused before that.
    class Obstacle
      # @return [String] as Ruby would reach it from the root: "@handler.@io", "[2][:key]", "" for the root itself
      attr_reader :path
      # @return [Object]
      attr_reader :object

      # Ruby's own walk ends long before so many levels, with a SystemStackError.
      DEEPEST = 10_000

      class << self
        # The first thing in `root` that Ruby would freeze or open again although the rest of the program needs it as it
        # is.
        # @return [Obstacle, nil]
        def forbidden(root)
          walk(root) { |object| forbidden?(object) }
        end

        # What stands in the way of sharing `root`: what can never be shared, else what is only not frozen yet.
        # @return [Obstacle, nil]
        def in(root)
          return if Ractor.shareable?(root)

          walk(root) { |object| forbidden?(object) || hopeless?(object) } ||
            walk(root, :unfrozen) { |object| unfrozen?(object) } || new("", root)
        rescue Foreign # user code, or a BasicObject, that would not be asked
          new("", root)
        end

        # Whether Ruby would make this shareable at the cost of the rest of the program.
        def forbidden?(object)
          case object
          when ::Ractor::MovedObject then true # Ruby calls it shareable, and whatever it is in
          when ::IO then !Ractor.shareable?(object)
          else defined?(::Singleton) && ::Singleton === object && !Ractor.shareable?(object)
          end
        end

        private

        # Breadth first, each object once, nothing that is plain and shareable already.
        def walk(root, kind = :hopeless)
          seen = {}.compare_by_identity
          level = [[root, ""]]
          depth = 0
          until level.empty? || (depth += 1) > DEEPEST
            level = level.each_with_object([]) do |(object, path), below|
              next if seen[object] || nothing_in?(object)

              seen[object] = true
              return new(path, object, kind) if yield(object)

              Children.of(object) { |step, child| below << [child, join(path, step)] }
            end
          end
          nil
        end

        # Whether there is nothing in it that could be in the way.
        def nothing_in?(object)
          Module === object || Sharing.deep_frozen?(object)
        end

        def join(path, step)
          path.empty? || step.start_with?("[") ? "#{path}#{step}" : "#{path}.#{step}"
        end

        # All that it holds is shareable, but itself is not frozen.
        def unfrozen?(object)
          !Ractor.shareable?(object) && !object.frozen? &&
            Children.of(object).all? { |_, child| Ractor.shareable?(child) }
        end

        # Frozen or not, with nothing in it that could be mended: a Thread, a Mutex, a Binding.
        def hopeless?(object)
          case object
          when String, Array, Hash, Struct, Range, Regexp, Numeric then return false
          end
          !Ractor.shareable?(object) && Children.of(object).empty? && refused?(object)
        end

        def refused?(object)
          Ractor.make_shareable(object, copy: true)
          false
        rescue Foreign
          true
        end
      end

      def initialize(path, object, kind = :hopeless)
        @path = path
        @object = object
        @kind = kind
      end

      # @return [String] "@handler.@io (an instance of IO)"
      def to_s
        return "#{path.empty? ? "it" : path} was moved to another owner (Ractor::MovedObject)" if moved?

        "#{path.empty? ? "it" : path} (an instance of #{Reflection.class_of(object)})"
      end

      # @return [Boolean] whether it is only what a move has left behind
      def moved?
        ::Ractor::MovedObject === object
      end

      # @return [Boolean] whether freezing would do
      def unfrozen?
        @kind == :unfrozen && !object.is_a?(Proc)
      end
    end
  end
end
