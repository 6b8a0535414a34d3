# frozen_string_literal: true

require_relative "../server/load"

# Clients that ask for pages one after the other, a new connection for each, and compare them with what they must be.
#
# A request whose connection ends without an answer is made once more, as RFC 9110 lets clients do with a GET: a server
# that ends may close a connection on which it has not read anything.
class Visitors
  # right: pages as they must be; again: requests that were tried once more; failed: what came instead of a page
  Outcome = Struct.new(:right, :again, :failed)

  # @param port [Integer]
  # @param pages [Hash{String => String}] what must be answered, by path
  # @param count [Integer]
  def initialize(port, pages, count: 8)
    @port = port
    @pages = pages.to_a
    @ended = false
    @right = Ratomic::Counter.new
    @threads = Array.new(count) { |number| Thread.new { visit(number, Outcome.new(0, 0, [])) } }
  end

  # @return [Integer] so far
  def right
    @right.value
  end

  # @return [Outcome] of all together
  def finish
    @ended = true
    outcomes = @threads.map(&:value)
    Outcome.new(outcomes.sum(&:right), outcomes.sum(&:again), outcomes.flat_map(&:failed))
  end

  private

  def visit(number, outcome)
    path, page = @pages[number % @pages.size]
    until @ended
      answer = ask(path) || again(path, outcome)
      next outcome.failed << failure(answer) unless answer == [200, page]

      outcome.right += 1
      @right.increment
      path, page = @pages[(number += 1) % @pages.size]
    end
    outcome
  end

  def again(path, outcome)
    outcome.again += 1
    ask(path)
  end

  def failure(answer)
    sleep(0.01) # not as fast as a refused connection comes back
    case answer
    when nil then "no answer"
    when Symbol then answer.to_s
    else "status #{answer.first}#{", another page" if answer.first == 200}"
    end
  end

  # @return [Array(Integer, String), :refused, nil]
  def ask(path)
    Load.get(@port, path)
  rescue SystemCallError
    :refused
  end
end
