# frozen_string_literal: true

require "test_helper"
require "json"
require "uri"
require "stringio"
require "ratomic/workers/web"
require "support/worker_callables"
require "support/libraries"

class WebTest < Minitest::Test
  include WorkerCallables
  include Libraries

  TOKEN = "correct horse battery staple"
  EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>\e[31m\xff"

  def setup
    @web = Ratomic::Workers::Web.new
    @pool = Ratomic::Workers::Pool.new(size: 2, name: "parsers", min_batch: 0)
  end

  def teardown
    @pool.kill
    Ratomic::Workers::History.current.stop
  end

  def env(path, query: "", method: "GET", script: "/workers", body: "", **more)
    { "REQUEST_METHOD" => method, "SCRIPT_NAME" => script, "PATH_INFO" => path, "QUERY_STRING" => query,
      "SERVER_NAME" => "localhost", "SERVER_PORT" => "80", "HTTP_HOST" => "localhost", "rack.url_scheme" => "http",
      "rack.input" => StringIO.new(body.b), "rack.errors" => $stderr, **more.transform_keys(&:to_s) }
  end

  def get(path = "/", web: @web, **options)
    status, headers, body = web.call(env(path, **options))
    @headers = headers
    [status, body.join]
  end

  def post(web, fields, **more)
    get("/act", web: web, method: "POST", body: URI.encode_www_form(fields), **more)
  end

  def page
    status, text = get
    assert_equal 200, status
    text
  end

  def test_the_page_shows_each_pool_that_runs
    @pool.dispatch_async([1, 2, 3], Double).value
    text = page
    assert_includes text, "<h2>parsers <small>2 #{@pool.backend} workers, running</small></h2>"
    assert_includes text, "<dt>items done</dt><dd>3</dd>"
    assert_includes text, "WorkerCallables::Double"
    @pool.shutdown
    refute_includes page, "parsers"
  end

  def test_it_shows_what_workers_run
    hold = Hold.new
    future = @pool.dispatch_async([1, 2, 3], hold, sequential: true, context: "import 7")
    eventually { hold.begun.value == 1 }
    text = page
    assert_match(%r{"runs"><div>WorkerCallables::Hold</div></td><td data-name="for"><div>[^<]+<small> dispatched}, text)
    assert_includes text, "<td data-name=\"context\"><div>&quot;import 7&quot;</div></td>"
    hold.open
    future.wait(timeout: 5)
  end

  def test_it_shows_the_last_failures
    @pool.dispatch_async([1, :raise_error], Misbehave, context: Ractor.make_shareable({ file: "a.csv" })).value
    text = page
    assert_includes text, "<summary><b>KeyError</b> 1 times</summary>"
    assert_includes text, "KeyError: no such key"
    assert_match(/<pre>[^<]*worker_callables.rb:\d+/, text)
    assert_match(/caused by.*ArgumentError: invalid value for Integer/m, text)
    assert_includes text, "a.csv"
    refute_match(%r{lib/ratomic/workers/worker/runner}, text)
  end

  # Raises what it gets.
  module Say
    def self.call(text)
      raise KeyError, text
    end
  end

  def test_nothing_from_outside_becomes_markup
    pool = Ratomic::Workers::Pool.new(size: 1, name: EVIL, min_batch: 0)
    pool.dispatch_async([EVIL], Say, context: EVIL.dup.freeze).value
    web = Ratomic::Workers::Web.new(title: EVIL)
    text = get("/", web: web, script: "/#{EVIL}").last
    assert_predicate text, :valid_encoding?
    refute_match(/<script>alert|<img|\e/, text)
    tags = text.scan(%r{</?([a-z0-9]+)}).flatten.uniq
    assert_empty tags - %w[html head meta title link script noscript body main header h1 h2 h3 p section small dl div dt
                           dd table thead tbody tr th td details summary article b pre code figure figcaption svg
                           polygon polyline ul li]
    assert_equal 1, text.scan("<script").size
    text.scan(/<[^>]*>/) { |tag| refute_match(/\son\w+=/, tag.gsub(/"[^"]*"/, "")) }
  ensure
    pool.kill
  end

  def test_every_answer_forbids_what_a_page_could_be_made_to_do
    %w[/ /live /style.css /live.js /stats.json /nothing].each do |path|
      get(path)
      assert_match(/\Adefault-src 'none'; style-src 'self'; script-src 'self'/, @headers["content-security-policy"])
      assert_equal %w[nosniff DENY no-referrer no-store],
                   @headers.values_at("x-content-type-options", "x-frame-options", "referrer-policy", "cache-control")
    end
    refute_match(/style=|<style|javascript:/, page)
  end

  def test_paths_are_those_of_where_it_is_mounted
    text = page
    assert_includes text, 'href="/workers/style.css"'
    assert_includes text, 'data-from="/workers/live"'
    ["", "/"].each { |path| assert_equal 200, get(path, script: "").first }
    assert_includes get("", script: "").last, 'href="/style.css"'
    assert_equal 404, get("/../web.rb").first
  end

  def test_it_works_without_javascript
    assert_includes page, '<noscript><meta http-equiv="refresh" content="5"></noscript>'
  end

  def test_the_live_part_is_what_stands_in_the_page
    page
    until_asleep(Ratomic::Workers::History.current.instance_variable_get(:@thread)) # until its next sample
    assert_includes page.gsub(/\d/, "0"), get("/live").last.gsub(/\d/, "0")
  end

  def test_the_same_as_data
    @pool.dispatch_async([1, :raise_error], Misbehave).value
    status, text = get("/stats.json")
    pool = JSON.parse(text)["pools"].find { |each| each["name"] == "parsers" }
    assert_equal [200, "application/json; charset=utf-8"], [status, @headers["content-type"]]
    assert_equal 2, pool["items"]["finished"]
    assert_equal "no such key", pool["last_failures"]["KeyError"][0]["message"]
  end

  def test_charts_begin_with_the_first_look
    @pool.dispatch_async([1], Double).value
    history = Ratomic::Workers::History.current
    history.stop
    3.times do
      history.sample
      @pool.dispatch_async([1, 2], Double).value
    end
    history.sample
    assert_match(/<polyline points="[0-9., ]+">/, page)
    assert_match(/items in a second.*now, at most/, page)
  end

  def test_only_get_and_head_are_answered
    status, headers, body = @web.call(env("/", method: "HEAD"))
    assert_equal [200, []], [status, body]
    assert_operator headers["content-length"].to_i, :>, 100
    %w[POST PUT DELETE].each { |method| assert_equal 405, get("/", method: method).first }
    assert_equal "GET, HEAD", @headers["allow"]
  end

  def test_it_only_reads_unless_it_has_a_token
    refute_includes page, "/confirm"
    assert_equal 404, get("/confirm", query: "action=kill&pool=1").first
    assert_equal 405, post(@web, { action: "kill", pool: 1, token: "" }).first
    assert_raises(ArgumentError) { Ratomic::Workers::Web.new(token: "short") }
    assert_raises(ArgumentError) { Ratomic::Workers::Web.new(token: 7) }
  end

  # The hidden fields of the confirmation.
  def confirm(web, query)
    status, text = get("/confirm", web: web, query: query)
    assert_equal 200, status, text
    text.scan(/type="hidden" name="(\w+)" value="([^"]*)"/).to_h
  end

  def number
    pools = JSON.parse(get("/stats.json").last)["pools"]
    pools.find { |pool| pool["name"] == "parsers" }["number"]
  end

  def test_an_action_is_confirmed_with_the_token
    web = Ratomic::Workers::Web.new(token: TOKEN)
    @pool.start
    link = get("/", web: web).last[/confirm\?(action=shutdown[^"]+pool=#{number})"/, 1]
    form = confirm(web, link.gsub("&amp;", "&"))
    assert_equal [403, true], [post(web, form).first, @pool.shutdown? == false]
    assert_equal 403, post(web, { **form, token: "wrong" }).first
    status, text = post(web, { **form, token: TOKEN })
    assert_equal 200, status
    assert_includes text, "The pool parsers is shutting down."
    assert_predicate @pool, :shutdown?
  end

  def test_a_dispatch_is_cancelled
    web = Ratomic::Workers::Web.new(token: TOKEN)
    hold = Hold.new
    future = @pool.dispatch_async([1, 2, 3], hold)
    eventually { hold.begun.value.positive? }
    query = get("/", web: web).last[/confirm\?(action=cancel[^"]+)"/, 1].gsub("&amp;", "&")
    status, text = post(web, { **confirm(web, query), token: TOKEN })
    assert_equal [200, true], [status, text.include?("3 items of the dispatch")]
    assert_predicate future, :cancelled?
    assert_equal 404, post(web, { **confirm(web, query), token: TOKEN }).first
  end

  def test_a_pool_is_killed
    web = Ratomic::Workers::Web.new(token: TOKEN)
    hold = Hold.new
    future = @pool.dispatch_async([1], hold)
    eventually { hold.begun.value == 1 }
    form = confirm(web, "action=kill&pool=#{number}")
    assert_equal 200, post(web, { **form, token: TOKEN }).first
    assert_equal "Ratomic::Workers::ShutdownError", future.value(timeout: 5)[0].exception_class
  end

  def test_forms_of_others_of_other_processes_and_old_ones_do_nothing
    web = Ratomic::Workers::Web.new(token: TOKEN)
    @pool.start
    form = { **confirm(web, "action=shutdown&pool=#{number}"), "token" => TOKEN }
    assert_equal 403, post(web, form, HTTP_SEC_FETCH_SITE: "cross-site").first
    assert_equal 403, post(web, form, HTTP_ORIGIN: "https://elsewhere.example").first
    assert_equal 409, post(web, { **form, "pid" => Process.pid + 1 }).first
    assert_equal 409, post(web, { **form, "at" => Time.now.to_i - 301 }).first
    assert_equal 409, post(web, { **form, "at" => Time.now.to_i + 99 }).first
    assert_equal 404, post(web, { **form, "action" => "format" }).first
    assert_equal 404, post(web, { **form, "pool" => "0" }).first
    assert_equal 404, post(web, { **form, "action" => "cancel", "dispatch" => "0" }).first
    assert_equal 405, get("/act", web: web).first
    queries = ["action=%ff&pool=%zz", "action=\u00e9"]
    queries.each { |query| assert_equal 404, get("/confirm", web: web, query: query).first }
    refute_predicate @pool, :shutdown?
    assert_equal 200, post(web, form, HTTP_SEC_FETCH_SITE: "same-origin", HTTP_ORIGIN: "http://localhost").first
  end

  def test_a_token_cannot_be_tried_for_long
    web = Ratomic::Workers::Web.new(token: TOKEN)
    @pool.start
    form = confirm(web, "action=shutdown&pool=#{number}")
    statuses = Array.new(6) { |i| post(web, { **form, token: "guess #{i}" }).first }
    assert_equal [403, 403, 403, 403, 403, 429], statuses
    assert_equal 429, post(web, { **form, token: TOKEN }).first
    refute_predicate @pool, :shutdown?
  end

  # Debian has Rack 2; where another one is installed it is tried.
  def test_it_keeps_the_rules_of_rack
    need "rack", "ruby-rack"
    web = Rack::Lint.new(Ratomic::Workers::Web.new(token: TOKEN))
    more = { "SERVER_PROTOCOL" => "HTTP/1.1" }
    if Rack.release < "3"
      more.update("rack.version" => [1, 3], "rack.multithread" => true, "rack.multiprocess" => false,
                  "rack.run_once" => false)
    end
    %w[/ /live /style.css /live.js /stats.json /nothing /confirm].each do |path|
      %w[GET HEAD POST].each do |method|
        given = env(path, method: method, **more)
        given["rack.input"].set_encoding(Encoding::BINARY)
        status, headers, body = web.call(given)
        parts = []
        body.each { |part| parts << part }
        body.close if body.respond_to?(:close)
        assert_operator status, :<, 500
        assert_equal headers["content-length"].to_i, parts.sum(&:bytesize) unless method == "HEAD"
      end
    end
  end

  def test_it_is_mounted_without_an_instance
    status, = Ratomic::Workers::Web.call(env("/"))
    assert_equal 200, status
  end

  def test_it_is_not_loaded_before_it_is_required
    assert_equal "false", ruby!('require "ratomic"; print defined?(Ratomic::Workers::Web) ? true : false')
  end

  # Rails prints it in its list of routes.
  def test_inspect_is_short_and_tells_nothing_of_the_token
    assert_equal "#<Ratomic::Workers::Web Workers>", @web.inspect
    with_token = Ratomic::Workers::Web.new(title: "Importer", token: TOKEN)
    assert_equal "#<Ratomic::Workers::Web Importer with actions>", with_token.inspect
  end
end
