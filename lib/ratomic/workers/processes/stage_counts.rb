# frozen_string_literal: true

module Ratomic
  module Workers
    module Processes
      # What the stages of a pipeline have counted in a worker process, on its way to the pool, where it is added.
      module StageCounts
        class << self
          # @return [Hash, nil] the gauges of a pipeline, with what they show now; nil for any other callable
          def of(callable)
            pipeline = pipeline(callable)
            pipeline && pipeline.gauges.to_h { |gauge| [gauge, gauge.totals] }
          end

          # @param before [Hash, nil] see {of}
          # @return [Array<Array<Integer>>, nil] by how much they have grown
          def changes(before)
            before&.map { |gauge, totals| gauge.totals.zip(totals).map { |now, then_| now - then_ } }
          end

          # @param changes [Array<Array<Integer>>, nil]
          # @return [void]
          def add(callable, changes)
            changes && pipeline(callable).gauges.zip(changes) { |gauge, change| gauge.add(*change) }
          end

          private

          def pipeline(callable)
            callable = callable.callable while Fold === callable || Around === callable
            callable if Pipeline === callable
          end
        end
      end
    end
  end
end
