# frozen_string_literal: true

require "test_helper"
require "pathname"

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

  def test_a_template_that_does_not_compile_is_refused_with_the_line_and_the_reason
    ["fine\n<% if %>", "fine\n<% page.each do |x| %>\n", "\n<%= page[ %>"].each do |source|
      error = assert_raises(SyntaxError) { RenderERB.new(source, filename: "page.erb") }
      assert_match(/page\.erb:[2-4]: *syntax error/, error.message)
    end
  end

  # The stand-in of a Ruby where classes belong to the Ractor that made them.
  def test_each_worker_compiles_into_a_class_of_its_own
    skip_without_ractors
    out = ruby!(<<~'RUBY')
      require "ratomic"
      OWNERS = Ratomic::Map.new
      MAIN = Ractor.current
      module Owned
        def new(...) = super.tap { |made| OWNERS[made] = Ractor.current }
      end
      module Guarded
        %w[include module_eval class_eval define_method].each do |name|
          module_eval(<<~METHOD)
            def #{name}(...)
              return super if (OWNERS[self] || MAIN).equal?(Ractor.current)
              raise Ractor::IsolationError, "can not modify \#{self} of another Ractor"
            end
          METHOD
        end
      end
      Class.singleton_class.prepend(Owned)
      Module.prepend(Guarded)
      OTHER = Class.new
      pool = Ratomic::Workers::Pool.new(size: 2, min_batch: 0)
      template = Ratomic::Workers::RenderERB.new("<%= h(page) %>")
      puts pool.dispatch_async(%w[a&b c], template).value!(timeout: 10).inspect
      puts pool.dispatch_async([1], Ractor.shareable_proc { |_| OTHER.include(Comparable) }).value(timeout: 5)[0].message
      require "./examples/erb/pages"
      pages = Pages::Generator.new(seed: 7).pages(5)
      puts pool.dispatch_async(pages, Pages::RenderPage).value!(timeout: 10).sum(&:size) > 1000
    RUBY
    assert_equal ['["a&amp;b", "c"]', "can not modify OTHER of another Ractor", "true"], out.lines(chomp: true)
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

  def test_wrong_arguments_are_refused_by_name
    { "the template must be a String, not NilClass" => -> { RenderERB.new(nil) },
      "the template must be a String, not Pathname" => -> { RenderERB.new(Pathname.new("page.erb")) },
      "helpers: must be modules, not String" => -> { RenderERB.new("", helpers: "Money") },
      "helpers: must be modules, not Class" => -> { RenderERB.new("", helpers: [Money, Class.new]) },
      "filename: must be a String, not Integer" => -> { RenderERB.new("", filename: 1) } }.each do |message, wrong|
      assert_equal message, assert_raises(TypeError, &wrong).message
    end
  end

  def test_the_filename_may_be_a_pathname
    template = RenderERB.new("<%= 1 / page %>", filename: Pathname.new("page.erb"))
    assert_match(/page\.erb:1/, assert_raises(ZeroDivisionError) { template.call(0) }.backtrace.first)
    assert_equal "#<Ratomic::Workers::RenderERB page.erb>", template.inspect
  end
end
