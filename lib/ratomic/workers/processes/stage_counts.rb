# frozen_string_literal: true

module Ratomic
  module Workers
    module Processes
      # Carries what the stages of a pipeline have counted in a worker process to the pool's process, which adds it to
      # its own counts.
      module StageCounts
        class << self
          # @return [Hash, nil] each StageMetrics of a pipeline and its totals now; nil for any other callable
          def of(callable)
            Pipeline.in(callable)&.stage_metrics&.to_h { |stage| [stage, stage.totals] }
          end

          # @param before [Hash, nil] see {of}
          # @return [Array<Array<Integer>>, nil] by how much the totals have grown
          def changes(before)
            before&.map { |stage, totals| stage.totals.zip(totals).map { |now, then_| now - then_ } }
          end

          # @param changes [Array<Array<Integer>>, nil]
          # @return [void]
          def add(callable, changes)
            changes && Pipeline.in(callable).stage_metrics.zip(changes) { |stage, change| stage.add(*change) }
          end
        end
      end
    end
  end
end
