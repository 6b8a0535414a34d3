# frozen_string_literal: true

require "objspace"
require "tempfile"

module Soak
  # What this process has at a moment, after a collection: resident memory (MB), native threads, file descriptors, live
  # objects, Ractors. Nil where this machine or Ruby does not tell.
  Resources = Struct.new(:memory, :threads, :files, :objects, :ractors) do
    # Seconds in which what was ended may still be ending.
    settling = 10

    # Waits until nothing more goes away.
    # @return [Resources]
    define_singleton_method(:settled) do
      limit = Soak.now + settling
      before = nil
      loop do
        collect
        now = here
        return now if before && now.counts == before.counts
        return now if Soak.now > limit

        before = now
        sleep 0.1
      end
    end

    def self.collect
      3.times { GC.start }
    end

    def self.here
      new(resident, children("task"), children("fd"), live, (Ractor.count if defined?(Ractor)))
    end

    def self.resident
      File.read("/proc/self/statm").split[1].to_i * 4096 / 1e6 if File.readable?("/proc/self/statm")
    end

    # @return [Float] MB of the VM's table of interned Strings; 0 before Ruby 4.0, where it has another form
    def self.interned_strings
      Tempfile.create do |file|
        ObjectSpace.dump_all(output: file)
        file.rewind
        tables = file.each_line.select { |line| line.include?("VM/concurrent_set") }
        tables.sum { |line| line[/"memsize":(\d+)/, 1].to_i } / 1e6
      end
    end

    def self.children(folder)
      Dir.children("/proc/self/#{folder}").size if File.directory?("/proc/self/#{folder}")
    end

    def self.live
      counts = ObjectSpace.count_objects
      counts[:TOTAL] - counts[:FREE]
    end
    private_class_method :resident, :children, :live

    # What has to be the same when all has settled; memory and objects have a bound instead.
    def counts
      [threads, files, ractors]
    end
  end
end
