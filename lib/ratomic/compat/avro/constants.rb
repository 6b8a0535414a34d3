# frozen_string_literal: true

module Ratomic
  module Compat
    module Avro
      # Constants that the library reads in every call and does not freeze. It changes none of them, and freezing keeps
      # their identity and what they hold.
      module Constants
        # Where the constants are that schemas, readers and writers use.
        OWNERS = %w[Schema LogicalTypes IO SchemaValidator SchemaCompatibility SchemaNormalization].freeze
        # Kinds of constants that are data. Others, such as a schema, store something later and must not be frozen.
        DATA = [Set, Hash, Array, String, Regexp, Range, Date, Numeric].freeze

        class << self
          # @return [void]
          def freeze_all
            OWNERS.each { |name| freeze_in(::Avro.const_get(name)) if ::Avro.const_defined?(name) }
          end

          private

          def freeze_in(owner)
            owner.constants(false).each do |name|
              constant = owner.const_get(name, false)
              case constant
              when Module then freeze_in(constant) if constant.name.to_s.start_with?("#{owner.name}::")
              when *DATA then Ractor.make_shareable(constant)
              end
            end
          end
        end
      end
    end
  end
end
