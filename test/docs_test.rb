# frozen_string_literal: true

require "test_helper"
require "support/documents"

# Runs every Ruby example of the guides, and follows the links of all documents.
class DocsTest < Minitest::Test
  ROOT = File.expand_path("..", __dir__)
  GUIDES = Dir[File.join(ROOT, "docs/*.md"), File.join(ROOT, "docs/guides/*.md")].sort.freeze
  DOCUMENTS = (Dir[File.join(ROOT, "*.md"), File.join(ROOT, "{examples,findings}/**/*.md")] + GUIDES +
               Dir[File.join(ROOT, "docs/what_runs/*.md")]).sort.freeze

  GUIDES.each do |path|
    Documents.blocks(path).each do |first_line, block|
      define_method("test_the_example_of_#{File.basename(path, ".md")}_at_line_#{first_line}_runs_as_printed") do
        skip_without_ractors
        skip_on_development_ruby("a forked child that collects can crash") if block.match?(/\bfork do/)
        assert_empty assert_success(ruby(Documents.program(path, first_line, block), seconds: 60)).err
      end
    end
  end

  def test_each_task_has_a_guide_with_an_example_and_all_are_listed
    list = File.read(File.join(ROOT, "docs/README.md"))
    %w[parse render library cdc sidekiq forks ractors rubies watching results who_runs].each do |name|
      path = File.join(ROOT, "docs/guides/#{name}.md")
      refute_empty Documents.blocks(path), name
      assert_includes list, "(guides/#{name}.md)"
    end
  end

  DOCUMENTS.each do |path|
    name = path.delete_prefix("#{ROOT}/")
    define_method("test_the_links_of_#{name.gsub(/\W/, "_")}_lead_somewhere") do
      links(path).each { |target| assert_leads(name, target) }
    end
  end

  # What Failures and `explain` point to.
  def test_each_row_that_is_pointed_to_is_in_the_tables
    %w[4.0 4.1].each do |release|
      rows = File.read(File.join(ROOT, "docs/what_runs/#{release}.md")).scan(/<a id="([^"]+)">/).flatten
      assert_operator rows.size, :>, 80
      assert_empty Ratomic::Workers::Remedy::ROWS.values.uniq - rows, release
    end
  end

  # What CONTRIBUTING tells step by step (the life of a deadline, the messages) names the methods of today.
  def test_the_methods_in_contributing_are_in_the_code
    named = File.read(File.join(ROOT, "CONTRIBUTING.md"), encoding: "UTF-8").scan(/`([A-Z]\w+)[#.]([a-z_]+[?!]?)`/).uniq
    known = named.select { |name, method| sources_of(name).any? { |path| File.read(path).match?(/\b#{method}/) } }
    ruby_itself = [%w[Thread exit], %w[Thread kill], %w[Ractor monitor]]
    assert_operator known.size, :>=, 60
    assert_empty named - known - ruby_itself
  end

  def test_the_messages_in_contributing_are_those_that_are_handled
    text = File.read(File.join(ROOT, "CONTRIBUTING.md"), encoding: "UTF-8")
    told = %w[coordinator worker's].map do |receiver|
      table = text[/^To (?:the|a) #{receiver}.*?\n\n(.*?)\n\n/m]
      table.scan(/^\| ([^|]*)/).join.scan(/`:(\w+)/).flatten.sort
    end
    handled = cases("supervision/watchdog") | Ratomic::Workers::Coordinator::OWN.map(&:to_s)
    assert_equal [handled.sort, cases("worker/worker").sort], told
  end

  def test_a_link_that_leads_nowhere_is_found
    assert_raises(Minitest::Assertion) { assert_leads("docs/README.md", "guides/nowhere.md") }
    assert_raises(Minitest::Assertion) { assert_leads("README.md", "#no-such-heading") }
    assert_raises(Minitest::Assertion) { assert_leads("README.md", "docs/guides/parse.md#no-such-heading") }
  end

  private

  # @return [Array<String>] the messages that a file of `workers` handles
  def cases(file)
    File.read(File.join(ROOT, "lib/ratomic/workers/#{file}.rb")).scan(/^ +when ((?::\w+,? )+)then/).join.scan(/\w+/)
  end

  # @return [Array<String>] files of a class, or of one that is written inside it
  def sources_of(name)
    Dir[File.join(ROOT, "lib/ratomic/**", "#{name.gsub(/(?<=[a-z])(?=[A-Z])/, "_").downcase}.rb")]
  end

  # Without what stands in code.
  def links(path)
    text = File.read(path, encoding: "UTF-8").gsub(/^```.*?^```$/m, "").gsub(/`[^`]*`/, "")
    text.scan(/\[[^\]]*\]\(([^)\s]+)\)/).flatten
  end

  def assert_leads(name, target)
    return assert_match(%r{\Ahttps://[\w.-]+(/\S*)?\z}, target) if target.match?(/\A\w+:/)

    file, heading = target.split("#", 2)
    path = file.empty? ? File.join(ROOT, name) : File.expand_path(file, File.dirname(File.join(ROOT, name)))
    assert_path_exists path, "#{name} leads to #{target}"
    return unless heading

    text = File.read(path, encoding: "UTF-8")
    headings = text.scan(/^#+ (.+)$/).flatten.map { |title| title.downcase.gsub(/[^\w\- ]/, "").tr(" ", "-") }
    assert_includes headings, heading, "#{name} leads to #{target}"
  end
end
