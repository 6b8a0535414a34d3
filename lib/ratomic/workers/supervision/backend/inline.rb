# frozen_string_literal: true

require_relative "defaults"

module Ratomic
  module Workers
    module Backend
      # No workers: the caller runs all items, see {Workers::Inline}. For tests and for debugging.
      module Inline
        extend Defaults

        class << self
          def to_sym
            :inline
          end

          def start(settings)
            UncoordinatedEngine.new(settings).tap { |engine| yield engine }
          end

          def workers?
            false
          end

          # As strict as Ractors: it refuses a callable before it runs if a Ractor would raise an error in it. On Rubies
          # where no proc can be made shareable, blocks run as in threads.
          def admit(callable, home)
            block = Proc === callable || Fold::OfBlock === callable
            block && !RACTORS ? super : Callable.strict(callable)
          end

          # The code of the callable was checked.
          def admit_around(around, _home)
            around
          end

          def any_block?
            false
          end

          def findings(callable)
            Ractors.findings(callable)
          end

          def place
            "the caller's thread"
          end
        end
      end
    end
  end
end
