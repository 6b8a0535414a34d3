# frozen_string_literal: true

require "ratomic"

# Change data capture: what PostgreSQL tells its logical replicas, decoded in parallel.
#
# The stream is pgoutput, protocol version 1, as `pg_recvlogical` writes it. Two stages:
#
# 1. In order, one thread: {Cdc::Intake} finds where each message ends, keeps the Relation messages in a
#    Ratomic::Map, and makes one small frozen {Cdc::Message} of every row change and truncate.
# 2. In any order, anywhere: {Cdc::DecodeChange} turns one message into a frozen {Cdc::Change} and counts it
#    in a Ratomic::Map and a Ratomic::Counter ({Cdc::Totals}).
#
# How to use it:
#
#   recording = Cdc.load("examples/cdc/fixtures/stream.pgoutput")  # frozen, shareable
#   recording.items            # => frozen Array of Cdc::Message, in the order of the stream; `items * 10` is fine
#   recording.bytes            # => Integer, size of the whole stream; an item's own is item.bytesize
#   recording.relations        # => Ratomic::Map, schema number => Cdc::Relation
#
#   decode = Cdc::DecodeChange.new(recording.relations)             # frozen, shareable; call(item) from anywhere
#   recording.items.map { |item| decode.call(item) }                # sequentially, in threads, or
#   Ratomic::Workers.dispatch_async(recording.items, decode).value  # in Ractors: equal results (Cdc::Change#==)
#
#   decode.totals.to_h         # => {"public.orders" => {inserts: 1, updates: 2, deletes: 0, truncates: 0, bytes: 9}}
#   decode.totals.changes      # => Integer, all row changes and truncates decoded since the last reset
#   decode.totals.reset        # before the next mode (while nothing is decoding)
#
# A message that cannot be decoded raises {Cdc::MalformedMessage} in `call` (a Failure in its place under
# Workers); it is not counted. `Cdc.load` raises {Cdc::TruncatedStream} or {Cdc::MalformedStream}, both with
# the byte offset, and Errno::* for a file that cannot be read; all of them have a one-line message.
module Cdc
  # The recording that comes with this example, and what the server that made it had counted.
  RECORDING = File.expand_path("fixtures/stream.pgoutput", __dir__).freeze

  # Reads a whole recorded stream.
  #
  # @param path [String] a file that pg_recvlogical wrote (pgoutput, proto_version 1)
  # @return [Cdc::Recording] frozen and shareable
  # @raise [SystemCallError] if the file cannot be read
  # @raise [Cdc::TruncatedStream] if the file ends inside a message or a transaction
  # @raise [Cdc::MalformedStream] if from some byte on it is no pgoutput
  def self.load(path)
    Recording.read(path)
  end
end

require_relative "errors"
require_relative "reader"
require_relative "message"
require_relative "cast"
require_relative "relation"
require_relative "transaction"
require_relative "layout"
require_relative "framing"
require_relative "intake"
require_relative "recording"
require_relative "row_reader"
require_relative "change"
require_relative "totals"
require_relative "decode_change"
