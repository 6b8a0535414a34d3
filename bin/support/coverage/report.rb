# frozen_string_literal: true

# Sums up for bin/coverage: report.rb FOLDER. Prints the shares, writes the lines that nobody ran, and compares with the
# floors in .ci/coverage.

# What was run of a set of files: path => { line => count }.
class Lines
  ROOT = File.expand_path("../../..", __dir__)

  def initialize
    @files = Hash.new { |files, path| files[path] = Hash.new(0) }
  end

  # @param counts [Array<Integer, nil>] nil for a line that cannot run
  def add(path, counts)
    counts.each_with_index { |count, index| @files[path][index + 1] += count if count }
  end

  def add_line(path, line, count)
    @files[path][line] += count
  end

  def empty?
    @files.empty?
  end

  # @return [Float] per cent
  def share
    counts = @files.values.flat_map(&:values)
    (counts.count(&:positive?) * 100.0 / counts.size).floor(1)
  end

  # The files with most lines that nobody ran come first.
  def report
    rows = @files.map do |path, lines|
      [path.delete_prefix("#{ROOT}/"), lines.select { |_, count| count.zero? }.keys.sort, lines.size]
    end
    rows.sort_by { |path, missed, _| [-missed.size, path] }.map do |path, missed, all|
      "#{path}: #{all - missed.size} of #{all}#{", not: #{ranges(missed)}" unless missed.empty?}"
    end
  end

  private

  def ranges(lines)
    runs = lines.slice_when { |line, following| following != line + 1 }
    runs.map { |run| [run[0], run[-1]].uniq.join("-") }.join(", ")
  end
end

folder = ARGV.fetch(0)
ruby = Lines.new
Dir[File.join(folder, "parts/*")].grep_v(/\.part\z/).each do |part|
  Marshal.load(File.binread(part)).each { |path, counts| ruby.add(path, counts) } # rubocop:disable Security/MarshalLoad
end
rust = Lines.new
path = nil
lcov = File.join(folder, "rust.lcov")
(File.exist?(lcov) ? File.foreach(lcov, chomp: true) : []).each do |line|
  case line
  when /\ASF:(.*)/ then path = Regexp.last_match(1)
  when /\ADA:(\d+),(\d+)/ then rust.add_line(path, Regexp.last_match(1).to_i, Regexp.last_match(2).to_i)
  end
end

# Of a part of the tests the number says nothing.
partial = ENV.fetch("RATOMIC_PARTIAL", nil)
floors = File.readlines(File.join(Lines::ROOT, ".ci/coverage"), chomp: true).grep(/\A\w+ /).to_h(&:split)
below = []
{ "ruby" => ruby, "rust" => rust }.each do |name, lines|
  next if lines.empty?

  File.write(File.join(folder, "#{name}.txt"), "#{lines.report.join("\n")}\n")
  next puts "ruby #{lines.share} % of lines (not compared: #{partial})" if name == "ruby" && partial

  floor = floors.fetch(name, "0").to_f
  below << name if lines.share < floor
  puts "#{name} #{lines.share} % of lines (floor #{floor} %#{", raise it in .ci/coverage" if lines.share >= floor + 1})"
end
exit(below.empty?)
