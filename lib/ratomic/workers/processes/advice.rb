# frozen_string_literal: true

module Ratomic
  module Workers
    module Processes
      # What `explain` reports about a callable that runs in worker processes.
      module Advice
        # Objects that Ractors and threads share, but of which each process has a copy.
        OF_ONE_PROCESS = [Counter, Map, Queue].freeze
        private_constant :OF_ONE_PROCESS

        class << self
          # @return [Hash{Symbol => Object}] :way (:copied or :forked), :why, and :own, an Array of the objects of which
          #   each process has a copy
          def of(callable)
            bad = InheritedCallables.parts(callable).find { |part| !Wire.dump(part) }
            why = bad ? "it cannot be copied: #{Wire.obstacle(bad)}" : "Marshal can write it"
            { way: bad ? :forked : :copied, why: why, own: own(callable) }
          end

          # @return [Array<String>] for people
          def lines(advice)
            way = advice[:way] == :copied ? "gets a copy of it" : "is forked anew"
            ["in worker processes: one that was forked before its first dispatch #{way} (#{advice[:why]})"] +
              advice[:own].map do |what|
                "  #{what}: each process has its own copy after a fork; the parent does not see what items write there"
              end
          end

          private

          # Searches the variables of the callable and the objects that its code names.
          # @return [Array<String>] "@calls (Ratomic::Map)"
          def own(callable)
            seen = {}.compare_by_identity
            found = []
            level = [[callable, ""], *NamedObjects.of(callable)]
            until level.empty?
              object, path = level.shift
              next if seen[object] || Module === object

              seen[object] = true
              kind = OF_ONE_PROCESS.find { |type| Reflection.class_of(object) == type }
              next found << "#{path.empty? ? "it" : path} (#{kind})" if kind

              level.concat(inner(object, path))
            end
            found
          rescue UserException
            found
          end

          # Leaves out the counts of a pipeline's stages: {StageCounts} brings them to the parent.
          def inner(object, path)
            return NamedObjects.of(object) if Proc === object

            steps = References.of(object)
            steps.reject! { |step, _| step == "@stage_metrics" } if Pipeline === object
            steps.map { |step, child| [child, References.join(path, step)] }
          end
        end
      end
    end
  end
end
