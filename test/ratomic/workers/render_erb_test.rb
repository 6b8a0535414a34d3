# frozen_string_literal: true

require "test_helper"

class RenderERBTest < Minitest::Test
  def test_a_page_sees_nothing_of_another
    template = Ratomic::Workers::RenderERB.new("<%= @seen.inspect %><% @seen = page %>")
    assert_equal %w[nil nil], %w[alice bob].map { |page| template.call(page) }
  end

  # Has methods of an Array, too.
  module Many
    extend Enumerable

    def self.each; end

    def shout(text)
      text.upcase
    end
  end

  def test_a_helper_module_may_be_enumerable
    assert_equal "A", Ratomic::Workers::RenderERB.new("<%= shout(page) %>", helpers: Many).call("a")
  end

  RenderERB = Ratomic::Workers::RenderERB

  # What the templates may call.
  module Money
    def money(cents)
      format("%.2f EUR", cents / 100.0)
    end
  end

  LIST = <<~TEMPLATE
    <h1><%= h(page[:title]) %></h1>
    <%- page[:items].each do |item| -%>
    <li><%= item %></li>
    <%- end -%>
  TEMPLATE

  def test_the_template_sees_the_item_as_page
    rendered = RenderERB.new(LIST).call({ title: "A & B", items: [1, 2] })
    assert_equal "<h1>A &amp; B</h1>\n<li>1</li>\n<li>2</li>\n", rendered
    assert_predicate rendered, :frozen?
  end

  def test_it_is_shareable_and_helpers_are_at_hand
    template = RenderERB.new("<%= money(page) %> <%= u('a b') %>", helpers: Money)
    assert Ractor.shareable?(template)
    assert_equal "1.50 EUR a%20b", template.call(150)
  end

  def test_an_error_names_the_file_and_the_line
    error = assert_raises(ZeroDivisionError) { RenderERB.new("one\n<%= 1 / page %>", filename: "page.erb").call(0) }
    assert_match(/page\.erb:2/, error.backtrace.first)
  end

  def test_two_templates_are_two
    one = RenderERB.new("one <%= page %>")
    two = RenderERB.new("two <%= page %>")
    assert_equal ["one 1", "two 2", "one 3"], [one.call(1), two.call(2), one.call(3)]
  end

  def test_it_runs_in_a_pool
    pool = Ratomic::Workers::Pool.new(size: 2, min_batch: 0)
    pages = Array.new(50) { |i| { title: "Page #{i}", items: Array.new(i % 5) { |n| "item #{n}" } } }
    template = RenderERB.new(LIST)
    assert_equal pages.map { |page| template.call(page) }, pool.dispatch_async(pages, template).value!(timeout: 10)
  ensure
    pool.kill
  end
end
