# frozen_string_literal: true

require "test_helper"

class RactorCapabilitiesTest < Minitest::Test
  RactorCapabilities = Ratomic::Workers::RactorCapabilities

  module Fixed
    class << self
      def one(_item) = true
      define_method(:any) { |*items| items }
      define_method(:of_a_proc) { |item| item }
    end
  end

  def test_its_answers_are_true_in_a_ractor_and_nothing_is_printed
    skip_without_ractors
    out = ruby!(<<~RUBY)
      require "ratomic"
      Ask = Ratomic::Workers::RactorCapabilities
      asked = Ask::Try.singleton_methods.sort.to_h { |name| [name, Ask.allowed?(name)] }
      tried = asked.to_h do |name, _|
        ractor = Ractor.new(name) do |question|
          Thread.current.report_on_exception = false
          Ask::Try.public_send(question)
          true
        rescue Ractor::Error
          false
        rescue Exception
          true # not for being in a Ractor
        end
        [name, ractor.value]
      end
      puts asked == tried, asked.value?(false), Thread.list.size # of each Ruby some are not allowed
    RUBY
    assert_equal %w[true true 1], out.lines(chomp: true)
  end

  def test_a_method_made_of_a_proc_may_not_be_called_in_another_ractor
    skip_without_ractors
    callable = %i[one any of_a_proc].to_h { |name| [name, RactorCapabilities.callable?(Fixed, Fixed.method(name))] }
    assert_equal({ one: true, any: true, of_a_proc: false }, callable)
  end

  def test_without_ractors_all_is_allowed
    skip "this Ruby has Ractors" if Ratomic::RACTORS
    assert RactorCapabilities.allowed?(:json_load)
    assert RactorCapabilities.callable?(Fixed, Fixed.method(:of_a_proc))
  end
end
