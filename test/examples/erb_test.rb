# frozen_string_literal: true

require "test_helper"
require "support/markup"
require "tmpdir"
require_relative "../../examples/erb/pages"

class ErbTest < Minitest::Test
  RUN = File.expand_path("../../examples/erb/run", __dir__)
  # KB of each rendered template, as the example promises.
  SIZES = { product: 35, dashboard: 25, email: 8, report: 68, catalog: 60 }.freeze
  HOSTILE = %(<script>alert("1")</script> & 'more'</title>]]>)

  def generator(seed = 7)
    Pages::Generator.new(seed: seed)
  end

  def render(page)
    Pages::RenderPage.call(page)
  end

  # Replaces every text in the data with something that must be escaped.
  def hostile(value)
    case value
    when Hash then value.to_h { |key, inner| [key.is_a?(String) ? HOSTILE : key, hostile(inner)] }
    when Array then value.map { |inner| hostile(inner) }
    when String then HOSTILE
    else value
    end
  end

  def test_every_template_has_its_size_within_ten_per_cent
    SIZES.each do |template, kilobytes|
      12.times do |index|
        assert_in_delta kilobytes * 1_000, render(generator.page(template, index)).bytesize, kilobytes * 100, template
      end
    end
    assert_equal SIZES.keys, Pages::Generator::KINDS.keys
  end

  def test_the_same_seed_gives_the_same_pages_and_all_are_different_and_shareable
    pages = generator(1).pages(60)
    assert_equal pages, generator(1).pages(60)
    assert_equal 60, pages.map { |page| render(page) }.uniq.size
    assert Ractor.shareable?(pages)
    assert_equal [12] * 5, pages.map { |page| page[:template] }.tally.values
  end

  def test_every_page_is_well_formed_and_frozen
    Pages::RenderPage::FILES.each do |template, file|
      5.times do |index|
        text = render(generator.page(template, index))
        assert_predicate text, :frozen?
        assert_equal Encoding::UTF_8, text.encoding
        assert_operator Markup.check(text, html: file.end_with?("html")).values.sum, :>, 80, template
      end
    end
  end

  def test_hostile_text_is_escaped_everywhere
    Pages::RenderPage::FILES.each do |template, file|
      page = hostile(generator.page(template, 2))
      text = render(Ractor.make_shareable(page))
      refute_includes text, "<script", template
      assert_includes text, "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;more&#39;", template
      Markup.check(text, html: file.end_with?("html"))
    end
  end

  def test_the_xml_is_read_by_a_real_parser
    begin
      require "rexml/document"
    rescue LoadError
      skip "needs the rexml gem"
    end
    page = generator.page(:catalog, 4)
    document = REXML::Document.new(render(page))
    assert_equal page[:query], document.root.elements["query"].text
    assert_equal page[:products].map { |product|
                   product[:text]
                 }, document.root.get_elements("//description").map(&:text)
  end

  def test_the_dashboard_draws_its_charts
    page = generator.page(:dashboard, 1)
    text = render(page)
    elements = Markup.check(text, html: true)
    assert_operator elements["svg"], :>=, 8
    assert_equal page[:channels].size + 1, elements["circle"]
    assert_operator elements["rect"], :>=, (page[:hours].size * 2) + (7 * 8)
  end

  def test_the_checker_of_the_markup_finds_mistakes
    {
      "<p>a<b></p></b>" => "</p> where <b> is open", "<p>a & b</p>" => "a bare &", "<p a=1>x</p>" => "does not end",
      "<p>x" => "never closed", "<p>1 < 2</p>" => "a bare <", "<p a=\"1\" a=\"2\">x</p>" => "twice",
      "<p>x</p><p></p>" => "a second root"
    }.each do |text, complaint|
      error = assert_raises(Markup::Error) { Markup.check("<!DOCTYPE html>#{text}", html: true) }
      assert_includes error.message, complaint
    end
  end

  def test_workers_render_what_the_caller_would_have_rendered
    pages = generator.pages(50)
    texts = within(60) { Ratomic::Workers.dispatch_async(pages, Pages::RenderPage).value! }
    assert_equal pages.map { |page| render(page) }, texts
    assert Ractor.shareable?(texts.to_a)
  end

  def test_helpers_write_numbers_for_people
    helpers = Object.new.extend(Pages::Helpers)
    assert_equal(%w[0 999 1,000 -1,234,567], [0, 999, 1_000, -1_234_567].map { |number| helpers.count(number) })
    assert_equal(%w[0.05 1,234.50 -3.00], [5, 123_450, -300].map { |cents| helpers.money(cents) })
    assert_equal "★★★☆☆", helpers.stars(3)
    assert_equal "0.0,10.0 5.0,5.0 10.0,0.0", helpers.points([0, 1, 2], 10, 10)
    assert_equal "+25.0 %", helpers.change(125, 100)
    arcs = helpers.arcs([{ value: 1 }, { value: 3 }])
    assert_equal([[25.0, 25.0], [75.0, 0.0]], arcs.map { |_entry, length, offset| [length, offset] })
  end

  def test_the_script_writes_the_pages_and_an_index
    Dir.mktmpdir do |folder|
      target = File.join(folder, "pages", "new")
      result = run_command(RbConfig.ruby, RUN, "--items", "10", "--seed", "7", "--write", target, seconds: 60)
      assert_predicate result, :success?, result.err
      assert_match(/^report +2 pages/, result.out)
      names = Dir.children(target).sort
      assert_equal 11, names.size
      page = generator(7).pages(10).find { |entry| entry[:template] == :report }
      assert_equal render(page),
                   File.read(File.join(target, format("report-%04d.html", page[:serial])), encoding: "UTF-8")
      index = File.read(File.join(target, "index.html"), encoding: "UTF-8")
      Markup.check(index, html: true)
      (names - ["index.html"]).each { |name| assert_includes index, %(href="#{name}") }
    end
  end

  def test_the_script_says_in_one_line_what_it_cannot_use
    [[2, ["--workers", "-1"]], [2, ["--workers", "257"]], [2, ["--items", "many"]], [2, ["stray"]],
     [1, ["--write", "/dev/null/x"]]].each do |status, line|
      result = run_command(RbConfig.ruby, RUN, *line, seconds: 60)
      assert_equal status, result.status.exitstatus, result.err
      assert_match(%r{\Aexamples/erb/run: .+\n\z}, result.err)
      assert_equal 1, result.err.lines.size
    end
  end
end
