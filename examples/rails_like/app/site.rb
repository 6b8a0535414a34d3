# frozen_string_literal: true

# The Rack application.
class Site
  # Requests of this process.
  REQUESTS = Ratomic::Counter.new

  HTML = { "content-type" => "text/html; charset=utf-8" }.freeze
  TEXT = { "content-type" => "text/plain; charset=utf-8" }.freeze
  METRICS = { "content-type" => "text/plain; version=0.0.4; charset=utf-8" }.freeze

  # @param pool [Ratomic::Workers::Pool] that renders
  def initialize(pool: ShopPages::POOL)
    @pool = pool
  end

  # @param environment [Hash] of Rack
  # @return [Array(Integer, Hash, Array<String>)]
  def call(environment)
    REQUESTS.increment
    path = environment["PATH_INFO"]
    case path
    when %r{\A/category/\d{1,6}\z} then [200, HTML.dup, [ShopPages.category(path.split("/").last.to_i, pool: @pool)]]
    when "/metrics" then [200, METRICS.dup, ["# process #{Process.pid}\n#{Ratomic::Workers.to_prometheus}"]]
    else [404, TEXT.dup, ["there is no such page\n"]]
    end
  end
end
