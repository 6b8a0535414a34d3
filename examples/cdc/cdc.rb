# frozen_string_literal: true

require "ratomic"

# Change data capture: what PostgreSQL tells its logical replicas, decoded in parallel.
#
# The stream is pgoutput, protocol versions 1 to 4, as `pg_recvlogical` writes it. Two stages:
#
# 1. In order, one thread: {Cdc::Intake} finds where each message ends, keeps the Relation messages in a
#    Ratomic::Map, holds what each transaction has until its commit is there, and then hands it on in frozen
#    {Cdc::Run}s, thousands of rows each, undecoded.
# 2. In any order, anywhere: {Cdc::CountRuns} decodes every row of some runs into a {Cdc::Change} and counts them on the
#    spot. It is made for `Ratomic::Workers.reduce`: what comes home are counts, merged in the order of the stream.
#
# A stream of any length, in bounded memory ({Cdc::Pipeline} does this while the next is read):
#
#   intake = Cdc::Intake.new(memory: 64 << 20)      # bytes of open transactions in memory, the rest goes to a file
#   count = Cdc::CountRuns.new(intake.relations)    # frozen, shareable
#   totals = Cdc::Totals.new
#   runs = intake.feed(chunk).grep(Cdc::Run)        # besides: Cdc::Transaction::Emitted, Cdc::Loss and Cdc::Notice
#   totals.add(Ratomic::Workers.reduce(runs, count).sum.tally)
#
# A short one, as a whole:
#
#   recording = Cdc.load("examples/cdc/fixtures/stream.pgoutput")  # frozen, shareable
#   recording.runs             # => Array of Cdc::Run, in the order of the commits
#   recording.items            # => Array of Cdc::Message, one for each row change and truncate
#   recording.relations        # => Ratomic::Map, schema number => Cdc::Relation
#
#   decode = Cdc::DecodeChange.new(recording.relations)             # frozen, shareable; one Message in, one Change out
#   recording.items.map { |item| decode.call(item) }                # sequentially, in threads, or
#   Ratomic::Workers.dispatch_async(recording.items, decode).value  # in Ractors: equal results (Cdc::Change#==)
#
#   decode.totals.to_h         # => {"public.orders" => {inserts: 1, updates: 2, deletes: 0, truncates: 0, bytes: 9}}
#   decode.totals.changes      # => Integer, all row changes and truncates decoded since the last reset
#   decode.totals.reset        # before the next mode (while nothing is decoding)
#
# A row that cannot be decoded raises {Cdc::MalformedMessage} in DecodeChange#call (a Failure in its place under
# Workers) and is among what CountRuns rejected; it is not counted. Bytes that are no message are a {Cdc::Loss}.
# `Cdc.load` raises {Cdc::TruncatedStream} or {Cdc::MalformedStream}, both with the byte offset, and Errno::* for a file
# that cannot be read; all of them have a one-line message.
module Cdc
  # The recording that comes with this example, and what the server that made it had counted.
  RECORDING = File.expand_path("fixtures/stream.pgoutput", __dir__).freeze

  # Reads a whole recorded stream.
  #
  # @param path [String] a file that pg_recvlogical wrote (pgoutput, proto_version 1 to 4)
  # @param options as for {Cdc::Intake#initialize}
  # @return [Cdc::Recording] frozen and shareable
  # @raise [SystemCallError] if the file cannot be read
  # @raise [Cdc::TruncatedStream] if the file ends inside a message or a transaction
  # @raise [Cdc::MalformedStream] if none of it is pgoutput
  def self.load(path, **options)
    Recording.read(path, **options)
  end
end

require_relative "errors"
require_relative "reader"
require_relative "transaction"
require_relative "cast"
require_relative "binary"
require_relative "totals"
require_relative "relation"
require_relative "layout"
require_relative "loss"
require_relative "notice"
require_relative "fit"
require_relative "recovery"
require_relative "framing"
require_relative "run"
require_relative "message"
require_relative "memory"
require_relative "held"
require_relative "outcome"
require_relative "prepared"
require_relative "transactions"
require_relative "intake"
require_relative "recording"
require_relative "row_reader"
require_relative "change"
require_relative "run_reader"
require_relative "decode_change"
require_relative "count_runs"
