# frozen_string_literal: true

module Ratomic
  module Workers
    # Checks whether items can be moved (`move: true`), before any of them is touched.
    #
    # Ruby moves a graph part by part. If it comes to a part that it cannot move, it raises, and the parts that it has
    # moved before are lost. Ruby 4.0 also loses an object to which a graph refers twice: at the second reference it
    # finds only the `Ractor::MovedObject` that it has left there. Whether this Ruby does that is found out once. And
    # some objects end the process in Ruby 4.0 ({fatal?}).
    module Moving
      # Why a graph cannot be moved.
      Finding = Struct.new(:path, :object, :again, :deep) do
        def to_s
          kind = Reflection.class_of(object)
          return "#{path} was moved to another owner before" if ::Ractor::MovedObject === object
          return "#{path} is nested too deeply" if deep
          return "#{path} is an instance of #{kind} #{FATAL}" if !again && Moving.fatal?(object)
          return "#{path} is an instance of #{kind}, which cannot be moved to another Ractor" unless again

          "#{path} and #{again} are the same #{kind}, and a move in this Ruby loses objects that are referenced twice"
        end

        def twice?
          !again.nil?
        end
      end

      FATAL = "that Ruby 4.0 cannot move without ending the process: one with a finalizer, or a Struct, Data or " \
              "Range that has instance variables, or whose object_id was asked for; do without these, or keep what " \
              "they are for in an object of a class"
      private_constant :FATAL

      class << self
        # Whether Ruby ends the process with a [BUG] when it moves the object, or later.
        def fatal?(object)
          Sharing.fatal_to_move?(object)
        end

        # @param root [Object]
        # @param name [String] the name of `root` in messages
        # @param parts [Boolean] whether its elements are moved one by one; then an object that two of them refer to is
        #   always lost
        # @return [Finding, nil] the first part that cannot be moved
        def obstacle(root, name, parts: false)
          return if Sharing.plain_tree?(root)
          # Ruby's move is recursive, like its walk that makes objects shareable, and could overflow the stack.
          return Finding.new(name, root, nil, true) if Sharing.too_deep?(root)

          look(root, name, parts) { true }
        end

        # @param items [Array] of a dispatch
        # @param first [Integer] index of the first of them
        # @return [Array] the items; instead of one that cannot be moved a frozen copy, or a {Transfer::Refused}
        # @raise [ShareableError] if the move would lose something; nothing has been touched then
        def prepare(items, first = 0)
          return items if !RACTORS || Sharing.plain_tree?(items)

          items = items.map.with_index(first) { |item, index| movable?(item) ? item : Transfer.pack_one(item, index) }
          twice = look(items, "items", true, &:twice?)
          raise ShareableError, "#{twice}; hand over a dup, or dispatch without move: true" if twice

          items
        end

        private

        def movable?(item)
          Sharing.plain_tree?(item) ||
            !(Sharing.too_deep?(item) || look(item, "", false) { |finding| !finding.twice? })
        end

        # Walks the graph depth first. An object that contains itself is no finding: Ruby moves cycles correctly.
        # @yieldparam finding [Finding]
        # @yieldreturn [Boolean] whether to return this finding
        # @return [Finding, nil]
        def look(root, name, parts)
          paths = {}.compare_by_identity
          open = {}.compare_by_identity
          ahead = [[root, name, nil]]
          until ahead.empty?
            object, path, part = ahead.pop
            next open.delete(object) if path.nil?
            next if (Ractor.shareable?(object) && !(::Ractor::MovedObject === object)) || open.key?(object)

            finding = finding(object, path, part, paths)
            return finding if finding && yield(finding)
            next if paths.key?(object)

            paths[object] = [path, part]
            open[object] = true
            ahead << [object, nil, nil]
            ahead.concat(children(object, path, part, parts && object.equal?(root)))
          end
        end

        # @param apart [Boolean] whether each child is moved as a part of its own
        def children(object, path, part, apart)
          References.of(object).reverse.map { |step, child| [child, References.join(path, step), apart ? step : part] }
        end

        def finding(object, path, part, paths)
          before, before_part = paths[object]
          if before
            Finding.new(before, object, path) unless ALIASES && before_part == part
          elsif opaque?(object) || fatal?(object)
            Finding.new(path, object)
          end
        end

        # A move loses the backtrace of an Exception that was raised, so such an Exception counts as immovable.
        def opaque?(object)
          case object
          when ::Ractor::MovedObject then true
          when ::IO then standard?(object)
          when ::Exception then !BACKTRACE.bind_call(object).nil?
          when Set then !SETS
          else Sharing.opaque?(object)
          end
        end

        # Whether it is a standard stream, which the whole program uses.
        def standard?(stream)
          own = [$stdin, $stdout, $stderr]
          own += %i[STDIN STDOUT STDERR].map { |name| Object.const_get(name) } if Ractor.main?
          own.any? { |one| one.equal?(stream) }
        end

        # Moves the object through a port, and returns the result.
        def move(object)
          port = Ractor::Port.new
          port.send(object, move: true)
          port.receive
        rescue Ractor::Error
          nil
        ensure
          port.close
        end
      end

      BACKTRACE = ::Exception.instance_method(:backtrace_locations)
                             .then { |own| RACTORS ? Ractor.make_shareable(own) : own }
      # Whether a move keeps an object to which the graph refers twice.
      ALIASES = !RACTORS || [+""].then { |twice| move(twice + twice) }.then { |one, other| one.equal?(other) }
      # Whether Sets can be moved.
      SETS = RACTORS && !move(Set.new).nil?
      private_constant :BACKTRACE, :ALIASES, :SETS
    end
  end
end
