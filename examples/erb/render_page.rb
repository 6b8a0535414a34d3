# frozen_string_literal: true

require "ratomic"
require_relative "helpers"

module Pages
  # The callable: renders a page with the template that its :template names. Shareable, as every module is.
  module RenderPage
    # template => name of its file, without .erb
    FILES = { product: "product.html", dashboard: "dashboard.html", email: "email.html", report: "report.html",
              catalog: "catalog.xml" }.freeze

    # Each is compiled with ERB#def_method in the worker that first meets it, once.
    TEMPLATES = FILES.transform_values do |name|
      file = File.join(__dir__, "templates", "#{name}.erb")
      Ratomic::Workers::RenderERB.new(File.read(file, encoding: Encoding::UTF_8), helpers: Helpers, filename: file)
    end.freeze

    # @param page [Hash] deeply frozen, as {Generator} makes it
    # @return [String] the text of the page, frozen
    # @raise [KeyError] for a template that is not there
    def self.call(page)
      TEMPLATES.fetch(page[:template]).call(page)
    end
  end
end
