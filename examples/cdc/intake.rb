# frozen_string_literal: true

module Cdc
  # The part of the work that has to be done in the order of the stream, by one thread: it finds where each message
  # ends, follows transactions ({Transactions}), keeps each new description of a table in the Map of relations, and
  # hands on the rows of what was committed, undecoded, in {Run}s.
  #
  # A description may change in mid-stream, and workers decode in any order. So each description gets a number of
  # its own, its key in the Map, and each run carries the numbers that were current where it stood. Descriptions count
  # from where they stand, whatever becomes of the transaction: the server repeats them when that undoes them.
  class Intake
    # Bytes of a run at most, if no row has more.
    RUN = 64 * 1024
    # Bytes that open transactions may have in memory.
    MEMORY = 64 * 1024 * 1024

    # @return [Ratomic::Map] schema number => {Relation}, complete for every run handed out so far
    attr_reader :relations
    # @return [Integer] how many losses there were
    attr_reader :losses
    # @return [Hash{Symbol => Integer}] how many {Notice}s of each kind there were
    attr_reader :notices

    # @param memory [Integer] bytes that open transactions may have in memory; what is more goes to a temporary file
    # @param json [Symbol] see {Cast.for}
    def initialize(memory: MEMORY, json: :decimal)
      @framing = Framing.new(method(:fit))
      @relations = Ratomic::Map.new
      @memory = Memory.new(memory)
      @transactions = Transactions.new(@memory, method(:tell))
      @json = json
      @domains = {}
      @described = {}
      @counts = Array.new(256, 0)
      @losses = 0
      @notices = Hash.new(0)
      @from = nil
    end

    # @return [Integer] bytes of the stream that belong to complete messages
    def bytes
      @framing.offset
    end

    # @return [Boolean] whether a transaction has begun that has not been committed yet, and that nothing interrupts
    def in_transaction?
      @transactions.inside?
    end

    # @return [Integer] committed transactions
    def transactions
      @transactions.committed
    end

    # @return [Integer] how often an open transaction was moved from memory to a file
    def spills
      @memory.spills
    end

    # @return [Hash{String => Integer}] messages seen so far, by the letter of their type
    def messages
      @counts.each_with_index.reject { |count, _tag| count.zero? }.to_h { |count, tag| [tag.chr, count] }
    end

    # @param chunk [String] the next bytes of the stream
    # @yieldparam event [Run, Transaction::Emitted, Loss, Notice] in the order of the stream, but for what a
    #   transaction holds: that comes with its commit
    # @return [Array, nil] the events, if no block is given
    # @raise [MalformedStream]
    def feed(chunk, &block)
      collect(block) do
        @framing.feed(chunk) { |data, at, ending, loss| loss ? lost(loss) : take(data, at, ending) }
        flush
      end
    end

    # The stream has ended.
    #
    # @yieldparam event as for {#feed}
    # @return as for {#feed}
    # @raise [TruncatedStream] if it ended inside a message or a transaction
    # @raise [MalformedStream]
    def finish(&block)
      collect(block) do
        @framing.finish { |data, at, ending, loss| loss ? lost(loss) : take(data, at, ending) }
        flush
        @transactions.finish(bytes)
      end
    end

    # Throws away what is held of open transactions, and their files with it.
    def close
      @transactions.drop
    end

    private

    def collect(block)
      events = []
      @sink = block || events.method(:<<)
      yield
      block ? nil : events
    end

    def tell(event)
      @notices[event.kind] += 1 if event.is_a?(Notice)
      @sink.call(event)
    end

    # Called for every message. Rows are only counted as one more of the run that they stand in.
    def take(data, at, ending)
      tag = data.getbyte(at)
      @counts[tag] += 1
      if tag == 73 || tag == 85 || tag == 68 || tag == 84 # rubocop:disable Style/MultipleComparison -- I U D T
        begin_run(data, at) unless @from
        @till = ending + 1
        flush if @till - @from >= RUN
      else
        flush
        between(tag, data.byteslice(at, ending - at), at + @framing.base)
      end
    end

    def begin_run(data, at)
      @data = data
      @from = at
      @held = @transactions.holding(at + @framing.base)
    end

    # The bytes are copied: a slice would keep all of the data alive, and have it copied instead.
    def flush
      return unless @from

      size = @till - @from
      bytes = @data.unpack1("@#{@from}a#{size}").force_encoding(Encoding::UTF_8)
      @held.add([bytes, @from + @framing.base, @memory.schemas.size - 1, @transactions.in_block?], size)
      @from = nil
    end

    def between(tag, payload, offset)
      streamed = @transactions.in_block?
      case tag
      when 82 then describe(payload, streamed)
      else
        event = Transaction.parse(payload, streamed: streamed)
        event.is_a?(Transaction::Type) ? type(event) : @transactions.follow(event, offset, payload.bytesize)
      end
    rescue MalformedMessage => e
      tables = tag == 82 ? forget(payload, streamed) : {}
      lost(Loss.new(offset, offset + payload.bytesize + 1, e.message, 1, tables, payload[0, Framing::HEAD]))
    end

    # A description that cannot be read says that the last one is not current any more.
    def forget(payload, streamed)
      oid = Reader.new(payload, streamed ? 5 : 1).uint32
      { oid => current(oid)&.name || "table #{oid}" }
    end

    # Of a domain the stream tells the base type, by name.
    def type(event)
      base = Cast::BY_NAME[event.name] if event.namespace.empty? || event.namespace == "pg_catalog"
      return if base == @domains[event.oid]

      base ? @domains[event.oid] = base : @domains.delete(event.oid)
      @described.clear # what a description means depends on it
    end

    # The server may repeat a description of a table at any time, mostly word for word. Only a new description is read,
    # and gets a number.
    def describe(payload, streamed)
      description = payload.unpack1("@#{streamed ? 5 : 1}a*") # a copy: a slice would keep all that was read with it
      oid = Layout.uint32(description, 0)
      return if @described[oid] == description && current(oid)

      relation = Relation.parse(payload, streamed: streamed, domains: @domains, json: @json)
      @described[oid] = description
      return if current(oid) == relation

      number = @relations.size
      @relations[number] = relation
      renumber { |schemas| schemas[relation.oid] = number }
    end

    def renumber
      schemas = @memory.schemas.last.dup
      yield schemas
      @memory.schemas << schemas.freeze
    end

    def current(oid)
      number = @memory.schemas.last[oid]
      number && @relations[number]
    end

    def lost(loss)
      flush
      @losses += 1
      renumber { |schemas| loss.tables.each_key { |oid| schemas.delete(oid) } } if loss.tables.any?
      @transactions.damaged
      @sink.call(loss)
    end

    def fit
      flush
      Fit.new(*@transactions.place, method(:current), @transactions.streams)
    end
  end
end
