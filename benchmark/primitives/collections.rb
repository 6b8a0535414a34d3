# frozen_string_literal: true

module Primitives
  # What a million entries cost a minor collection. Each holder is filled in a child of its own, so that the entries of
  # one are not in the heap of another.
  module Collections
    NAME = "collection"
    # The Map adds nothing: as fast as the same entries in a Hash, within the noise of the machine.
    NOISE = 0.85

    module_function

    def contests(scale)
      entries = (1_000_000 * scale).to_i
      [idle(entries), written(entries)]
    end

    def idle(entries)
      Collections.contest("Minor collection, #{entries} entries, nothing written", entries, false)
    end

    def written(entries)
      Collections.contest("Minor collection, #{entries} entries, one young String stored before each", entries, true)
    end

    def contest(title, entries, write)
      children = { "an empty Map" => [:map, 0], "Map" => [:map, entries], "Hash" => [:hash, entries] }
      Contest.new(title, unit: "collections/s") do
        children.each { |name, (kind, count)| contestant(name) { Child.for(kind, count, write).collect } }
        ask "Map", "Hash", NOISE
      end
    end

    # A process that holds the entries and collects when it is told to.
    class Child
      COLLECTIONS = 20

      def self.for(*arguments)
        (@all ||= {})[arguments] ||= new(*arguments)
      end

      def initialize(kind, count, write)
        @there, command = IO.pipe.reverse
        answer, back = IO.pipe
        @answer = answer
        @pid = fork { serve(kind, count, write, command, back) }
        [command, back].each(&:close)
        @answer.gets
        at_exit { @there.close unless @there.closed? }
      end

      # @return [Integer] how many collections that were
      def collect
        @there.puts
        @answer.gets
        COLLECTIONS
      end

      private

      def serve(kind, count, write, command, back)
        @there.close
        holder = fill(kind == :map ? Ratomic::Map.new : {}, count)
        4.times { GC.start }
        back.puts
        back.flush
        while command.gets
          COLLECTIONS.times do |number|
            holder["key #{number}"] = "young #{number}" if write
            GC.start(full_mark: false, immediate_sweep: true)
          end
          back.puts
          back.flush
        end
        exit!(0)
      end

      def fill(holder, count)
        count.times { |number| holder["key #{number}".freeze] = "value #{number}".freeze }
        holder
      end
    end
  end
end
