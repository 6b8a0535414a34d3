# frozen_string_literal: true

require "fileutils"
require "tmpdir"

# What items in several processes count together, in files: a Ratomic::Map or Counter is of one process.
class ProcessLedger
  def self.within
    directory = Dir.mktmpdir("ratomic-ledger")
    yield new(directory)
  ensure
    new(directory).remove if directory
  end

  def initialize(directory)
    @directory = directory.dup.freeze
    freeze
  end

  # A process that is about to be ended may write one more word while this goes on: hence not mktmpdir's own removal.
  def remove
    FileUtils.rm_rf(@directory)
  end

  # Notes a word. It is written in one piece, so that words of several processes do not mix.
  # @return [Integer] how often it was noted
  def note(word)
    File.open(path("ledger"), "a") { |file| file.syswrite("#{word}\n") }
    count(word)
  end

  # @return [Array<String>] all words, in their order
  def words
    File.exist?(path("ledger")) ? File.readlines(path("ledger"), chomp: true) : []
  end

  # @return [Integer]
  def count(word)
    words.count(word.to_s)
  end

  # Notes that it has begun, and waits until {#open}.
  def hold
    note(:begun)
    sleep(0.002) until File.exist?(path("open"))
  rescue Errno::ENOENT
    nil # the test is over
  end

  def open
    File.write(path("open"), "")
  end

  private

  def path(name)
    File.join(@directory, name)
  end
end
