# frozen_string_literal: true

module Cdc
  # Looks for the place behind a broken message where the stream makes sense again: behind some newline there must be a
  # chain of messages that are well-formed and that {Fit} what was going on where the stream broke.
  #
  # Every byte is looked at once, however the stream is cut into pieces: a chain that needs more bytes waits for them
  # where it stands, and no second chain is begun where one has already been.
  class Recovery
    # How many chains may wait at the same time. Random bytes rarely begin one.
    MAX_CHAINS = 64
    # A chain of messages that may be the rest of the stream. `at` is the byte up to which it was read.
    Chain = Struct.new(:from, :at, :fit, :streamed)

    # @return [Integer] first lost byte
    attr_reader :from
    # @return [String] what is wrong there
    attr_reader :defect

    def initialize(from, defect, head, fit, streamed)
      @from = from
      @defect = defect
      @head = head
      @fit = fit
      @streamed = streamed
      @search = from
      @chains = []
      @seen = {}
      @descriptions = []
      describe(head, 0, from, streamed)
    end

    # @return [Integer] first byte of the stream that is still needed
    def needed
      [@search, *@chains.map(&:from)].min
    end

    # @param data [String] what is there of the stream
    # @param base [Integer] its place in the stream
    # @param ended [Boolean] whether no more will come
    # @return [Integer, nil] place in the stream to go on from, nil if more bytes may bring one
    def find(data, base, ended)
      found = waiting(data, base, ended) || searched(data, base, ended)
      found&.from
    end

    # @param to [Integer] where the stream makes sense again
    # @return [Loss]
    def loss(to)
      others = @seen.count { |at, fitting| fitting && at < to && at > @from }
      tables = @descriptions.select { |at, _oid, _name| at < to }.to_h { |_at, oid, name| [oid, name] }
      Loss.new(@from, to, @defect, others + 1, tables, @head)
    end

    private

    def waiting(data, base, ended)
      @chains.reject! do |chain|
        case follow(chain, data, base, ended)
        when :believed then return chain
        when :dead then true
        end
      end
      nil
    end

    def searched(data, base, ended)
      while (newline = data.index("\n", [@search - base, 0].max))
        @search = base + newline + 1
        next if @seen.key?(@search)

        describe(data, newline + 1, @search, @streamed)
        chain = Chain.new(@search, @search, @fit.dup, @streamed)
        case follow(chain, data, base, ended)
        when :believed then return chain
        when :waits then @chains << chain if @chains.size < MAX_CHAINS
        end
      end
      @search = [@search, base + data.bytesize].max
      nil
    end

    # @return [:believed, :dead, :waits]
    def follow(chain, data, base, ended)
      while chain.at - base < data.bytesize
        ending = Framing.message_end(data, chain.at - base, chain.streamed)
        return ended ? :dead : :waits unless ending
        return :dead unless fits?(chain, data, chain.at - base, ending)

        step(chain, data, base, ending)
        return :believed if chain.fit.enough?
      end
      return :waits unless ended

      chain.at > chain.from && chain.fit.closed? ? :believed : :dead
    rescue MalformedMessage
      :dead
    end

    # Where another chain has been, this one would only end as that one did.
    def fits?(chain, data, at, ending)
      return false if @seen.key?(chain.at)

      @seen[chain.at] = chain.fit.take(data, at, ending, chain.streamed)
    end

    def step(chain, data, base, ending)
      at = chain.at - base
      describe(data, at, chain.at, chain.streamed) unless chain.at == chain.from
      tag = data.getbyte(at)
      chain.streamed = tag == 83 if Framing::OUTSIDE[tag]
      chain.at = base + ending + 1
    end

    # Remembers that a table is described there, whole or broken: the description is lost if these bytes are.
    def describe(data, at, place, streamed)
      return unless data.getbyte(at) == 82

      start = at + (streamed ? 5 : 1)
      oid = Layout.uint32(data, start) or return
      names = data.byteslice(start + 4, 130).match(/\A([^\0]{0,63})\0([^\0]{1,63})\0[dnfi]/n)
      name = @fit.name(oid) || (names && Relation.name_for(*names.captures.map { |n| n.force_encoding("UTF-8").scrub }))
      @descriptions << [place, oid, name] if name
    end
  end
end
