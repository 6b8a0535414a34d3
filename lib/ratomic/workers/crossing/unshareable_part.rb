# frozen_string_literal: true

module Ratomic
  module Workers
    # Finds the part of an object that keeps it from being shared between Ractors, with its path: `@handler.@io`, an IO.
    #
    # Ruby itself says only that the whole is not shareable. It also makes some things shareable that must not be: an IO
    # is frozen in place (nobody can write to it any more) or, with `copy: true`, opened a second time; the instance of
    # a Singleton is frozen for the whole process. Those are found here and refused before that.
    class UnshareablePart
      # @return [String] as Ruby would reach it from the root: "@handler.@io", "[2][:key]", "" for the root itself
      attr_reader :path
      # @return [Object]
      attr_reader :object

      # Deepest level that is searched. A few more than {Sharing}.too_deep? allows, because that does not count all
      # levels.
      MAX_DEPTH = 1_010
      # Levels of nested unshareable objects that are searched for the innermost one.
      MAX_SEARCHED_LEVELS = 100
      private_constant :MAX_DEPTH, :MAX_SEARCHED_LEVELS

      class << self
        # Finds the first object in `root` that must not be made shareable: Ruby would freeze it or open it again, and
        # the rest of the program needs it as it is.
        # @return [UnshareablePart, nil]
        # @raise [ShareableError] if `root` has so many levels that Ruby's own walk could overflow a stack
        def forbidden(root)
          raise ShareableError, Sharing::TOO_DEEP if Sharing.too_deep?(root)

          walk(root) { |object| forbidden?(object) }
        end

        # Finds the object that keeps `root` from being shared: first one that the program needs as it is, else the
        # innermost one that can be neither shared nor copied, else one that only has to be frozen.
        # @return [UnshareablePart, nil]
        def in(root)
          return if FrozenCopy.shareable?(root)

          forbidden(root) || (descend(root) if UnshareableReason.of?(root)) ||
            walk(root, :unfrozen) { |object| unfrozen?(object) } || new("", root)
        rescue UserException # a method of the object raised, or it is a BasicObject
          new("", root)
        end

        # Says which part of `root` is in the way, after an attempt to share or copy it has raised.
        # @param error [Exception] raised by the attempt
        # @return [String]
        def describe(root, error)
          case error
          when SystemStackError then "the stack ended in it" # in its own methods
          when ShareableError then error.message
          else (self.in(root) || error).to_s
          end
        end

        # Whether Ruby would make this object shareable, and the rest of the program would fail.
        def forbidden?(object)
          case object
          when ::Ractor::MovedObject then true # for Ruby it is shareable, and so is what contains it
          when ::IO then !Ractor.shareable?(object)
          else defined?(::Singleton) && ::Singleton === object && !Ractor.shareable?(object)
          end
        end

        private

        # Walks the graph breadth first, each object once, without objects that are known to be shareable.
        def walk(root, kind = :unshareable)
          seen = {}.compare_by_identity
          level = [[root, ""]]
          depth = 0
          until level.empty?
            raise ShareableError, Sharing::TOO_DEEP if (depth += 1) > MAX_DEPTH # `too_deep?` does not look into a Set

            level = level.each_with_object([]) do |(object, path), below|
              next if seen[object] || known_shareable?(object)

              seen[object] = true
              return new(path, object, kind) if yield(object)
              next if kind == :unshareable && Exception === object # see FrozenCopy.recorded?

              References.of(object) { |step, child| below << [child, References.join(path, step)] }
            end
          end
          nil
        end

        # Whether the object and all that it refers to are known to be shareable.
        def known_shareable?(object)
          Module === object || Sharing.deep_frozen?(object)
        end

        # Whether only the object itself is not frozen, and everything that it refers to is shareable.
        def unfrozen?(object)
          !FrozenCopy.shareable?(object) && !object.frozen? &&
            References.of(object).all? { |_, child| FrozenCopy.shareable?(child) }
        end

        # Goes from an object that cannot be shared to the part of it that cannot, and so on.
        def descend(root)
          object = root
          path = ""
          seen = {}.compare_by_identity
          until seen[object] || seen.size > MAX_SEARCHED_LEVELS
            seen[object] = true
            step, child = References.of(object).find { |_, inner| !seen[inner] && UnshareableReason.of?(inner) }
            return new(path, object) unless step

            path = References.join(path, step)
            object = child
          end
          new(path, object)
        end
      end

      def initialize(path, object, kind = :unshareable)
        @path = path
        @object = object
        @kind = kind
      end

      # @return [String] "@handler.@io (an instance of IO)", with the reason if one is known
      def to_s
        return "#{path.empty? ? "it" : path} was moved to another owner (Ractor::MovedObject)" if moved?

        text = "#{path.empty? ? "it" : path} (an instance of #{Reflection.class_name_of(object)})"
        reason ? "#{text}: #{reason}" : text
      end

      # @return [String, nil] why it can be neither shared nor copied
      def reason
        @reason ||= (UnshareableReason.of(object) unless UnshareablePart.forbidden?(object) || @kind == :unfrozen)
      end

      # @return [Boolean] whether it is the `Ractor::MovedObject` that a move leaves in the place of an object
      def moved?
        ::Ractor::MovedObject === object
      end

      # @return [Boolean] whether it would be shareable if it were frozen
      def unfrozen?
        @kind == :unfrozen && !(Proc === object)
      end
    end
  end
end
