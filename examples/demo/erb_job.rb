# frozen_string_literal: true

require_relative "../erb/pages"
require_relative "job"

module Demo
  # Renders pages from ERB templates.
  class ERBJob < Job
    ITEMS = 1_500

    # @raise [SystemCallError] when --write names a folder that cannot be made
    def initialize(options)
      @folder = options.write && Pages::Folder.new(options.write)
      @path = options.write
      super("erb", Pages::Generator.new(seed: options.seed).pages(options.items || ITEMS), Pages::RenderPage)
    end

    # What a renderer works on is what it writes.
    def bytes(results)
      results.sum(&:bytesize)
    end

    def finish(results)
      "#{@folder.write(items, results)} pages are in #{@path}: open #{File.join(@path, 'index.html')}" if @folder
    end
  end
end
