# frozen_string_literal: true

require "json"
require "etc"

module Primitives
  # A table for people, and the same for programs.
  class Report
    attr_reader :missed

    def initialize
      @contests = []
      @missed = []
    end

    def machine
      jit = Counters.jit? ? "YJIT on" : "no JIT"
      "#{RUBY_DESCRIPTION}\nratomic #{Ratomic::VERSION}, #{jit}, #{Etc.nprocessors} processors (#{processor}), " \
        "#{Time.now.utc.strftime("%Y-%m-%d %H:%M UTC")}\n\n"
    end

    # Remembers the results of one contest and returns its lines.
    def add(contest, rates)
      verdicts = contest.bounds.map { |bound| judge(contest, bound, rates) }
      @contests << { title: contest.title, unit: contest.unit, rates: rates, bounds: verdicts }
      fastest = rates.values.max
      lines = rates.map do |name, rate|
        format("  %-28<name>s %14<rate>s %<unit>s  %5.2<share>fx",
               name: name, rate: grouped(rate), unit: contest.unit, share: rate / fastest)
      end
      [contest.title, *lines, *verdicts.map { |verdict| line(verdict) }, *note(contest), ""].join("\n")
    end

    def verdict
      return "All that was asked for is there." if missed.empty?

      ["Missed:", *missed.map { |verdict| "  #{verdict[:title]}: #{line(verdict).strip}" }].join("\n")
    end

    def to_json(*)
      JSON.pretty_generate({ ruby: RUBY_DESCRIPTION, yjit: Counters.jit? ? true : false, processor: processor,
                             processors: Etc.nprocessors, date: Time.now.utc.to_s, contests: @contests })
    end

    private

    def judge(contest, bound, rates)
      ratio = rates.fetch(bound.ours) / rates.fetch(bound.theirs)
      verdict = { title: contest.title, ours: bound.ours, theirs: bound.theirs, ratio: ratio.round(2),
                  asked: bound.least.round(2), met: ratio >= bound.least }
      @missed << verdict unless verdict[:met]
      verdict
    end

    def line(verdict)
      format("  %<ours>s / %<theirs>s: %<ratio>.2f, asked %<asked>.2f: %<said>s",
             **verdict.slice(:ours, :theirs, :ratio, :asked), said: verdict[:met] ? "yes" : "NO")
    end

    def note(contest)
      contest.note && "  (#{contest.note})"
    end

    def grouped(rate)
      rate.round.to_s.gsub(/(\d)(?=(\d{3})+\z)/, '\1,')
    end

    def processor
      return "unknown" unless File.readable?("/proc/cpuinfo")

      File.foreach("/proc/cpuinfo").grep(/model name/).first.to_s.split(": ").last.to_s.strip
    end
  end
end
