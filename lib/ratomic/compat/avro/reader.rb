# frozen_string_literal: true

module Ratomic
  module Compat
    module Avro
      # The library's reader, whose dates, times and decimals are shareable. The rest is plain data then, which becomes
      # shareable natively and quickly; with one Date in it a whole record would be looked through in Ruby.
      class Reader < ::Avro::IO::DatumReader
        # @return [Object] the datum
        def read_data(writers_schema, readers_schema, decoder)
          datum = super
          writers_schema.logical_type ? Ractor.make_shareable(datum) : datum
        end
      end
    end
  end
end
