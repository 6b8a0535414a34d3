# frozen_string_literal: true

require "fileutils"
require "tmpdir"
require_relative "libraries"

# Apache's avro for Ruby: of the checkout of its repository that AVRO names, else the gem, where it is installed.
# What it needs of others (multi_json; bigdecimal, which newer Rubies do not bring) must be on the load path (RUBYLIB).
module AvroLibrary
  # Loads it, and what makes it run in workers.
  # @return [String, nil] why it cannot be; the same at each call
  def self.missing
    return @missing if defined?(@missing)

    @missing = try
  end

  # @return [String, nil] the checkout
  def self.checkout
    ENV["AVRO"] unless ENV["AVRO"].to_s.empty?
  end

  def self.try
    if checkout
      others = %w[multi_json bigdecimal].reject { |name| Libraries.load(name) }
      return "avro needs #{others.join(" and ")}" if others.any?

      $LOAD_PATH.unshift(complete(File.join(File.expand_path(checkout), "lang/ruby/lib")))
      reason = own_failure
    elsif !Libraries.load("avro")
      reason = "AVRO names no checkout of Apache's avro, and its gem is not here"
    end
    require "ratomic/compat/avro" unless reason
    reason
  end

  # A library of others that does not suit this Ruby, such as an old multi_json and json 3.
  def self.own_failure
    require "avro"
    nil
  rescue LoadError, StandardError => e
    "avro does not load here: #{e.class}: #{e.message.lines.first.chomp}"
  end
  private_class_method :own_failure
  private_class_method :try

  # A checkout has the version elsewhere, and the library looks for it beside its files.
  def self.complete(folder)
    return folder if File.exist?(File.join(folder, "avro/VERSION.txt"))

    copy = Dir.mktmpdir("ratomic-avro")
    Minitest.after_run { FileUtils.rm_rf(copy) }
    FileUtils.cp_r("#{folder}/.", copy)
    FileUtils.cp(File.expand_path(File.join(checkout, "share/VERSION.txt")), File.join(copy, "avro"))
    copy
  end
  private_class_method :complete

  def need_avro
    reason = AvroLibrary.missing
    skip reason if reason
  end
end
