# frozen_string_literal: true

require "test_helper"
require_relative "web/browser"
require_relative "web/stage"

# The live page in a real browser.
class WebInBrowserTest < Minitest::Test
  def setup
    @browser = Browser.find or skip "needs chromium (Debian: apt install chromium)"
    @stage = Stage.new
    @stage.play(1)
  end

  def teardown
    @stage&.stop
    Ratomic::Workers::History.current.stop
  end

  def test_the_page_brings_itself_up_to_date
    text = @browser.document(@stage.server.url, seconds: 7)
    assert_includes text, "<title>Workers of the importer</title>"
    assert_match(%r{<td data-name="context"><div>\{:page =&gt; "catalogue", :part =&gt; 3\}</div></td>}, text)
    refute_includes text, "class=\"stale\""
    before = text[/\d\d:\d\d:\d\d UTC/]
    later = @browser.document(@stage.server.url("/live"))[/\d\d:\d\d:\d\d UTC/]
    assert before && later
    served = @stage.requests.count("/workers/live")
    assert_operator served, :>=, 2, "the script asks for the live part"
  end

  def test_it_is_whole_without_javascript
    text = @browser.document(@stage.server.url, scripts: false)
    assert_includes text, "<noscript>"
    assert_includes text, "Stage::ParseOrder"
  end

  def test_what_comes_from_items_stays_text
    text = @browser.document(@stage.server.url, seconds: 3)
    assert_match(/ArgumentError: no total in &lt;item \d+&gt;/, text)
  end
end
