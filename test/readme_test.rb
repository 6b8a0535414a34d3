# frozen_string_literal: true

require "objspace"
require "test_helper"
require "support/documents"

# Runs every Ruby example of README.md, see {Documents}.
class ReadmeTest < Minitest::Test
  README = File.expand_path("../README.md", __dir__)

  Documents.blocks(README).each do |first_line, block|
    define_method("test_the_example_at_line_#{first_line}_runs_as_printed") do
      skip_without_ractors if block.match?(/\bRactor\b|Ratomic::Pool\b/) # as README says of older Rubies
      assert_empty assert_success(ruby(Documents.program(README, first_line, block), seconds: 60)).err
    end
  end

  def test_there_are_examples_of_every_primitive
    code = Documents.blocks(README).map(&:last).join
    %w[Counter Map Queue Pool LocalPool Workers].each { |name| assert_includes code, "Ratomic::#{name}" }
  end

  def test_the_figures_are_those_of_the_results
    results = File.read(File.expand_path("../benchmark/results/4.0/workers.txt", __dir__), encoding: "UTF-8")
    figures = File.read(README, encoding: "UTF-8").scan(/^\| .*\b\d+\.\d\dx.*/).join.scan(/\b\d+\.\d\dx/)
    assert_operator figures.size, :>=, 6
    figures.each { |figure| assert_match(/\b#{figure.chop} ?x/, results) }
  end

  def test_the_figures_of_the_other_machine_are_those_of_its_results
    results = results("workers_intel")
    rows = ["Ratomic::Workers (speed-up)", "524 B, ParseJSON, Ratomic::Workers", "5000 B, ParseJSON, Ratomic::Workers"]
    found = rows.map { |row| Float(results[/^ +#{Regexp.escape(row)}.*?([\d.]+) ?x/, 1]) }
    printed = File.read(README, encoding: "UTF-8")[/another machine .*? were (.*?) \(\[all/m, 1].scan(/[\d.]+(?=x)/)
    assert_equal found, printed.map { |figure| Float(figure) }
  end

  # The time of ParseJSON as a part of that of JSON.parse with `freeze: true`, one after another in one thread.
  def test_what_parse_json_saves_is_as_printed
    text = File.read(README, encoding: "UTF-8")[/In one thread `ParseJSON` .*?results\./m]
    found = %w[workers workers_intel].flat_map do |name|
      frozen, own = ["freeze: true", "ParseJSON"].map do |way|
        results(name).scan(/^ +\d+ B, #{way}, sequential map.* ([\d.]+) documents/).flatten.map { |each| Float(each) }
      end
      assert_equal 3, frozen.size
      frozen.zip(own).map { |slow, quick| (slow / quick).round(2) }.minmax
    end
    assert_equal found, text.scan(/0\.\d+/).map { |figure| Float(figure) }
  end

  def test_the_memory_of_a_map_is_as_printed
    printed = File.read(README, encoding: "UTF-8")[/^- \*\*Memory\*\*.*?\.$/m].scan(/([\d.]+) kB/).flatten
    [0, 10, 33].zip(printed) do |keys, kilobytes|
      map = Ratomic::Map.new
      keys.times { |key| map[key] = key }
      assert_in_delta Float(kilobytes) * 1000, ObjectSpace.memsize_of(map), Float(kilobytes) * 100, "#{keys} keys"
    end
  end

  def test_a_wrong_result_in_an_example_is_found
    result = ruby("#{Documents::CHECKS}\n#{Documents.checked("README.md", "2 + 2 # => 5", 7)}")
    refute_predicate result, :success?
    assert_includes result.err, "README.md:7: 4, not 5"
  end

  private

  def results(name)
    File.read(File.expand_path("../benchmark/results/4.0/#{name}.txt", __dir__), encoding: "UTF-8")
  end
end
