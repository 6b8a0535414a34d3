# frozen_string_literal: true

module Ratomic
  module Compat
    module Avro
      # The library's reader, except that it returns shareable dates, times and decimals. The rest of a record is plain
      # data, which ratomic's extension makes shareable. With one Date that is not shareable it would have to leave the
      # whole record to +Ractor.make_shareable+, which is slower.
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
