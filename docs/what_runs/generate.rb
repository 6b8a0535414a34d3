# frozen_string_literal: true

# Tries each call of calls.rb in a worker, in a process of its own, and writes the table of this Ruby:
#   bin/exec docs/what_runs/generate.rb          # into docs/what_runs/<release>.md
#   bin/exec docs/what_runs/generate.rb --check  # says where the kept table is not true here
require "json"
require "open3"
require "rbconfig"
require "timeout"
require_relative "calls"

module WhatRuns
  # The table of one Ruby.
  class Table
    FOLDER = __dir__
    TRY = File.join(FOLDER, "try.rb")
    SECONDS = 40
    # Trying two at a time keeps both processors of a small machine at work.
    AT_ONCE = 2

    # @return [Array<Hash>] of each call what try.rb said
    def told
      @told ||= begin
        calls = Thread::Queue.new(CALLS).close
        answers = {}
        threads = Array.new(AT_ONCE) { Thread.new { try_all(calls, answers) } }
        threads.each(&:join)
        CALLS.map { |call| answers.fetch(call.id) }
      end
    end

    def path
      File.join(FOLDER, "#{release}.md")
    end

    def release
      RbConfig::CONFIG.values_at("MAJOR", "MINOR").join(".")
    end

    # @return [String]
    def to_s
      rows = CALLS.zip(told).map { |call, answer| row(call, answer) }
      <<~MARKDOWN
        # What runs in a worker on Ruby #{release}

        Each call was run in a worker, in a process of its own, by `bin/exec docs/what_runs/generate.rb` on
        #{RUBY_DESCRIPTION[/\A.*?\)/]}. What is behind it: [the guide](../guides/ractors.md).
        A call that does not run in a worker runs with `backend: :thread`.

        | call | runs | why not | what to do |
        | --- | --- | --- | --- |
        #{rows.join("\n")}
      MARKDOWN
    end

    # @return [Hash{String => String}] id => "yes" or "no", of a table that was kept
    def self.verdicts(text)
      text.scan(%r{^\| <a id="([^"]+)"></a>.*? \| (yes|no|not here) \|}).to_h
    end

    # @return [Array<String>] where the kept table says something else
    def differences
      kept = Table.verdicts(File.read(path))
      now = Table.verdicts(to_s)
      (kept.keys | now.keys).filter_map do |id|
        "#{id}: kept #{kept[id].inspect}, now #{now[id].inspect}" unless kept[id] == now[id] || now[id] == "not here"
      end
    end

    private

    def try_all(calls, answers)
      while (call = calls.pop)
        answers[call.id] = try(call)
      end
    end

    def try(call)
      out, = Timeout.timeout(SECONDS) { Open3.capture2e(RbConfig.ruby, "-W0", TRY, call.id) }
      line = out.lines.grep(/^TOLD /).last
      return JSON.parse(line.delete_prefix("TOLD ")) if line

      { "main" => "well", "error" => "the process ended: #{out[0, 200]}" }
    rescue Timeout::Error
      { "main" => "well", "error" => "no answer in #{SECONDS} s" }
    end

    def row(call, answer)
      name = "<a id=\"#{call.id}\"></a>`#{cell(call.title).delete("`")}`"
      return "| #{name} | not here | the library is missing | |" if answer["main"] == "missing"
      return "| #{name} | yes | | |" if answer["worker"] == "well"
      return "| #{name} | not here | also in the main Ractor: #{cell(answer["main"])} | |" if answer["main"] != "well"

      "| #{name} | no | #{cell(answer["error"].to_s)} | #{cell(answer["remedy"].to_s)} |"
    end

    # One line of a table, without what differs from run to run.
    def cell(text)
      line = text.lines(chomp: true).first.to_s.gsub(/0x\h+/, "0x...")
      line = "#{line[0, 237]}..." if line.size > 240
      line.gsub("|", "\\|").gsub("<", "&lt;")
    end
  end
end

if $PROGRAM_NAME == __FILE__
  table = WhatRuns::Table.new
  if ARGV.include?("--check")
    different = table.differences
    puts different.empty? ? "#{table.path} is true" : different
    exit(different.empty?)
  end
  File.write(table.path, table.to_s)
  puts "wrote #{table.path}"
end
