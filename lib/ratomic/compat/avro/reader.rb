# frozen_string_literal: true

module Ratomic
  module Compat
    module Avro
      # The library's reader, but its dates, times and decimals are shareable. All else in a record is plain data, which
      # is made shareable natively. One Date that is not shareable would leave the whole record to the VM's own walk,
      # which is slower.
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
