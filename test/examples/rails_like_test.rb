# frozen_string_literal: true

require "test_helper"
require "support/worker_pools"
require_relative "../../examples/rails_like/config/application"
require_relative "../../examples/rails_like/visitors"

# The application without a server, and its visitors; test/integration/puma_test.rb has the rest.
class RailsLikeExampleTest < Minitest::Test
  include WorkerPools

  def setup
    super
    @site = Site.new(pool: new_pool(name: "shop"))
  end

  def get(path)
    within(30) { @site.call({ "PATH_INFO" => path }) }
  end

  def test_a_page_is_what_it_is_without_workers
    status, headers, body = get("/category/7")
    assert_equal 200, status
    assert_equal "text/html; charset=utf-8", headers["content-type"]
    products = Catalogue.products(7).map { |product| ShopPages::PRODUCT.call(product) }
    assert_equal ShopPages.page(7, products), body.join
    assert_equal 60, body.join.scan('<li id="product-').size
    assert_includes body.join, "&amp;"
  end

  def test_metrics_tell_of_the_pool
    get("/category/1")
    _, headers, body = get("/metrics")
    assert_match(%r{\Atext/plain; version=0\.0\.4}, headers["content-type"])
    assert_match(/\A# process #{Process.pid}$/, body.join)
    assert_match(/^ratomic_workers_items_total\{pool="shop",\S*\} [1-9]\d*$/, body.join)
  end

  def test_another_path_is_not_found_and_counted
    before = Site::REQUESTS.value
    ["/category/", "/category/x", "/category/1234567", "/"].each { |path| assert_equal 404, get(path).first }
    assert_equal 4, Site::REQUESTS.value - before
  end

  PAGE = "the page"

  # Answers each connection by what comes next out of a list, and those after that by the page.
  def serve(*answers)
    socket = TCPServer.new("127.0.0.1", 0)
    served = Ratomic::Counter.new
    thread = Thread.new { loop { give(socket.accept, answers.shift || answer(200, PAGE), served) } }
    all = answers.size
    visitors = Visitors.new(socket.addr[1], { "/" => PAGE }, count: 1)
    eventually(20, "all answers") { served.value > all }
    within(20) { visitors.finish }
  ensure
    thread.kill.join
    socket.close
  end

  def give(client, answer, served)
    client.gets("\r\n\r\n")
    client.write(answer)
    client.close
    served.increment
  end

  def answer(status, body)
    "HTTP/1.1 #{status} -\r\nContent-Length: #{body.bytesize}\r\n\r\n#{body}"
  end

  def test_visitors_tell_right_pages_from_others
    outcome = serve(answer(200, PAGE), answer(200, "other"), answer(500, PAGE))
    assert_operator outcome.right, :>=, 1
    assert_equal ["status 200, another page", "status 500"], outcome.failed
    assert_equal 0, outcome.again
  end

  def test_visitors_ask_once_more_when_there_is_no_answer
    outcome = serve("", answer(200, PAGE), "", answer(200, PAGE)[0..-2])
    assert_operator outcome.right, :>=, 1
    assert_equal 2, outcome.again
    assert_equal ["no answer"], outcome.failed
  end
end
