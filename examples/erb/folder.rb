# frozen_string_literal: true

require "erb"
require "fileutils"
require_relative "render_page"

module Pages
  # Writes rendered pages to a folder, with an index.html that links to them.
  class Folder
    INDEX = File.join(__dir__, "templates", "index.html.erb").freeze

    # @param path [String] made if it is not there
    # @raise [SystemCallError] when it cannot be written to
    def initialize(path)
      FileUtils.mkdir_p(path)
      @path = path
    end

    # @param pages [Array<Hash>] what was rendered
    # @param texts [Array<String>] the texts, in the same order
    # @return [Integer] how many pages were written
    def write(pages, texts)
      entries = pages.zip(texts).map { |page, text| [page[:template], write_page(page, text), text.bytesize] }
      File.write(File.join(@path, "index.html"), index(entries))
      entries.size
    end

    private

    def write_page(page, text)
      base, extension = RenderPage::FILES.fetch(page[:template]).split(".")
      name = format("%<base>s-%<serial>04d.%<extension>s", base: base, serial: page[:serial], extension: extension)
      File.write(File.join(@path, name), text)
      name
    end

    def index(entries)
      groups = RenderPage::FILES.keys.to_h { |kind| [kind, entries.select { |entry| entry.first == kind }] }
      ERB.new(File.read(INDEX, encoding: Encoding::UTF_8), trim_mode: "-").result_with_hash(groups: groups)
    end
  end
end
