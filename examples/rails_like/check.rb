# frozen_string_literal: true

require_relative "cluster"
require_relative "visitors"

# One cluster under load: restarted, robbed of a process, and stopped. Says what was seen in lines.
class Check
  CATEGORIES = 1..12

  # What the pages must be: rendered here, by nobody's workers.
  # @return [Hash{String => String}] by path
  def self.pages
    CATEGORIES.to_h do |number|
      products = Catalogue.products(number).map { |product| ShopPages::PRODUCT.call(product) }
      ["/category/#{number}", ShopPages.page(number, products)]
    end
  end

  # @return [Array<String>] what is not as it should be
  attr_reader :problems

  # @param cluster [Cluster]
  # @param pages [Hash{String => String}]
  # @param seconds [Numeric] of load before and after each event
  # @param clients [Integer]
  # @param say [#call] gets each line
  def initialize(cluster, pages, seconds:, clients:, say:)
    @cluster = cluster
    @pages = pages
    @seconds = seconds
    @clients = clients
    @say = say
    @answered = 0
    @problems = []
  end

  # No request fails while all processes are replaced.
  # @return [void]
  def restart
    outcome = under_load("restart (USR1)") { @cluster.restart }
    problem("#{outcome.failed.tally} in a restart") if outcome.failed.any?
  end

  # What the killed process had in hand is lost: no more than one request of each client.
  # @return [void]
  def lose_one
    outcome = under_load("a process is killed (KILL)") { @cluster.lose_one }
    problem("#{outcome.failed.tally} when a process was killed") if outcome.again + outcome.failed.size > @clients
  end

  # Each process has workers of its own, and tells what they have rendered. Which processes answer is left to chance.
  # @return [void]
  def metrics
    counts = Array.new(20) do
      status, text = Load.get(@cluster.port, "/metrics")
      problem("/metrics has status #{status.inspect}") unless status == 200
      @answered += 1
      text.to_s.match(/^# process (\d+)\n.*^ratomic_workers_items_total\{pool="pages",\S*\} (\d+)$/m)&.captures
    end
    rendered = counts.compact.to_h.transform_values(&:to_i)
    line("/metrics", "#{rendered.values.join(" and ")} fragments rendered by #{rendered.size} processes")
    problem("/metrics tells of no page") unless rendered.values.any?(&:positive?)
  end

  # From the first refused connection on there is nobody; before it, what the application has begun is answered.
  # @param all_well [Boolean] whether all processes so far have ended in good order, and so said what they had begun
  # @return [void]
  def stop(all_well:)
    ended = false
    outcome = under_load("stop (TERM)") { ended = @cluster.stop }
    problem("Puma has not ended in good order") unless ended
    others = outcome.failed - ["refused", "no answer"] # nobody had accepted those: see the README of the server
    problem("#{others.tally} in a stop") if others.any?
    return unless all_well

    line("begun by the application", "#{@cluster.requests}, of which #{@answered} were answered")
    problem("requests were begun and not answered") unless @cluster.requests == @answered
  end

  private

  def under_load(name)
    visitors = Visitors.new(@cluster.port, @pages, count: @clients)
    sleep(@seconds)
    yield
    sleep(@seconds)
    outcome = visitors.finish
    @answered += outcome.right
    failed = outcome.failed.tally.map { |what, count| ", #{count} #{what}" }.join
    line(name, "#{outcome.right} pages, #{outcome.again} asked for again, #{outcome.failed.size} failed#{failed}")
    outcome
  end

  def line(name, text)
    @say.call(format("  %-28<name>s %<text>s", name: name, text: text))
  end

  def problem(text)
    @problems << text
  end
end
