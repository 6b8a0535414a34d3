# frozen_string_literal: true

require "test_helper"
require "ratomic/workers/web"

class HtmlTest < Minitest::Test
  Html = Ratomic::Workers::Web::Html

  def test_text_is_escaped_and_markup_is_not
    assert_equal "<p>a &lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;<b>e</b>12</p>",
                 Html.tag(:p, "a <b> & \"c\" 'd'", Html.tag(:b, "e"), [1, [nil, 2]]).to_s
  end

  def test_attributes_are_escaped_too
    assert_equal "<a href=\"&quot;&gt;\" data-x=\"1\" hidden></a>",
                 Html.tag(:a, href: "\">", data_x: 1, title: nil, hidden: true, open: false).to_s
  end

  def test_empty_elements_have_no_end
    assert_equal "<input name=\"x\">", Html.tag(:input, name: "x").to_s
    assert_equal "<polyline></polyline>", Html.tag(:polyline).to_s
  end

  def test_characters_that_no_page_may_have_are_replaced
    assert_equal "a\uFFFDb\uFFFD\n", Html.escape("a\0b\xff\n")
    assert_equal "\u00fc", Html.escape("\u00fc".encode("ISO-8859-1"))
  end
end
