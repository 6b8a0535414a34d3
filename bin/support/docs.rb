# frozen_string_literal: true

# Builds the site, for bin/docs: docs.rb FOLDER. YARD names the page of a document after its file alone, so the
# documents are copied under names that tell them apart, with their links changed to the pages of the site.

require "fileutils"
require "logger"
require "yard"

# The documents of the repository as pages.
class Site
  ROOT = File.expand_path("../..", __dir__)
  # YARD takes no documents from elsewhere.
  STAGE = File.join(ROOT, "build/docs-source")
  # Everything else that a page links to goes along as it is.
  PAGES = Dir.chdir(ROOT) do
    %w[README.md CONTRIBUTING.md CHANGELOG.md SECURITY.md] + Dir["docs/**/*.md"].sort +
      Dir["{examples,findings}/**/*.md"].sort
  end.freeze

  def initialize(folder)
    @folder = File.expand_path(folder)
    @copied = {}
  end

  # @return [Integer] number of pages
  def build
    FileUtils.rm_rf(@folder)
    FileUtils.mkdir_p(STAGE)
    PAGES.each { |page| File.write(File.join(STAGE, "#{name(page)}.md"), text(page)) }
    run
    @copied.each { |from, to| copy(from, to) }
    Dir[File.join(@folder, "**/*.html")].size
  end

  private

  # docs/guides/parse.md is "guide-parse", README.md "README".
  def name(page)
    page.delete_suffix(".md").sub(%r{\Adocs/guides/}, "guide-").sub(%r{\Adocs/}, "").sub(%r{/README\z}, "")
        .then { |name| page == "docs/README.md" ? "documents" : name.tr("/", "-") }
  end

  def text(page)
    text = File.read(File.join(ROOT, page), encoding: "UTF-8")
    text.gsub(/(?<=\]\()[^)\s]+(?=\))/) { |target| link(page, target) }
  end

  def link(page, target)
    return target if target.match?(/\A\w+:/) || target.start_with?("#")

    path, heading = target.split("#", 2)
    path = File.join(File.dirname(page), path).delete_prefix("./")
    path = File.expand_path(path, "/").delete_prefix("/")
    document = [path, File.join(path, "README.md")].find { |candidate| PAGES.include?(candidate) }
    return "file.#{name(document)}.html#{"##{heading}" if heading}" if document

    @copied[path] = "files/#{path}"
    File.directory?(File.join(ROOT, path)) ? "files/#{path}/index.html" : "files/#{path}"
  end

  # A folder becomes the list of its files.
  def copy(from, to)
    source = File.join(ROOT, from)
    target = File.join(@folder, to)
    FileUtils.mkdir_p(File.dirname(target))
    return FileUtils.cp(source, target) if File.file?(source)

    FileUtils.cp_r(source, target)
    items = Dir.children(target).sort.map { |child| "<li><a href=\"#{child}\">#{child}</a></li>" }
    head = "<!DOCTYPE html><meta charset=\"utf-8\"><title>#{from}</title>"
    File.write(File.join(target, "index.html"), "#{head}<ul>#{items.join}</ul>")
  end

  def run
    YARD::Logger.instance.level = Logger::FATAL # it cannot follow a `prepend` to a class that it has not read
    Dir.chdir(ROOT) do
      pages = PAGES.map { |page| "#{STAGE.delete_prefix("#{ROOT}/")}/#{name(page)}.md" } # relative ones only
      arguments = ["--quiet", "--no-save", "--no-cache", "--markup", "markdown", "--markup-provider", "redcarpet",
                   "--no-private", "--hide-api", "private", "--title", "Ratomic", "--output-dir", @folder,
                   "--readme", pages[0], "lib/**/*.rb", "-", *pages[1..]]
      YARD::CLI::Yardoc.run(*arguments)
    end
  end
end

folder = ARGV.fetch(0)
puts "#{Site.new(folder).build} pages in #{folder}"
