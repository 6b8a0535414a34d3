# frozen_string_literal: true

require "test_helper"
require "tmpdir"
require "uri"

# Builds the documentation site and follows each of its links.
class DocsSiteTest < Minitest::Test
  ROOT = File.expand_path("../..", __dir__)

  def test_the_site_is_whole
    Dir.mktmpdir("ratomic-docs") do |folder|
      built = run_command(File.join(ROOT, "bin/docs"), folder, seconds: 300,
                                                               env: { "RUBYLIB" => nil, "RUBYOPT" => nil })
      skip built.err.lines.last if built.err.include?("needs YARD")
      assert_success built
      pages = Dir[File.join(folder, "*.html"), File.join(folder, "Ratomic/**/*.html")]
      assert_operator pages.size, :>, 40
      names = pages.map { |page| page.delete_prefix("#{folder}/") }
      %w[index.html file.guide-parse.html file.guide-forks.html file.CONTRIBUTING.html file.what_runs-4.0.html
         file.upgrading.html file.SECURITY.html Ratomic/Map.html Ratomic/Workers/Pool.html].each do |page|
        assert_includes names, page
      end
      assert_empty pages.flat_map { |page| broken(page) }.uniq
    end
  end

  private

  # @return [Array<String>] links of a page that lead nowhere
  def broken(page)
    text = File.read(page, encoding: "UTF-8")
    links = text.scan(/(?:href|src)=["']([^"']*)["']/).flatten.reject { |link| link.match?(/\A(\w+:|\z)/) }
    links.uniq.filter_map do |link|
      path, anchor = link.sub(/\?\d+(?=#|\z)/, "").split("#", 2)
      target = path.empty? ? page : File.expand_path(URI.decode_www_form_component(path), File.dirname(page))
      anywhere = anchor.to_s.empty? || File.basename(page) == "_index.html"
      "#{File.basename(page)}: #{link}" unless File.exist?(target) && (anywhere || anchor?(target, anchor))
    end
  end

  def anchor?(target, anchor)
    @texts ||= Hash.new { |texts, path| texts[path] = File.read(path, encoding: "UTF-8") }
    wanted = Regexp.escape(URI.decode_www_form_component(anchor))
    File.directory?(target) || @texts[target].match?(/(?:id|name)=["'](?:#{wanted}|#{Regexp.escape(anchor)})["']/)
  end
end
