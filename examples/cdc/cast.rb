# frozen_string_literal: true

require "json"
begin
  require "bigdecimal"
rescue LoadError
  nil # fractions in JSON are Rationals then, which are as exact
end

module Cdc
  # How a value's text becomes a Ruby value, by the type's OID (the built-in types' are the same in every
  # PostgreSQL). What is not listed stays the text that PostgreSQL printed: numeric, so that no digit is lost; date
  # and timestamp without time zone, because they are no moment; arrays and user-defined types.
  #
  # Every method here takes the text and returns a frozen value, and raises ArgumentError if it is no such text.
  module Cast
    BY_TYPE = { 16 => :boolean, 17 => :bytes, 20 => :integer, 21 => :integer, 23 => :integer, 26 => :integer,
                114 => :json, 700 => :float, 701 => :float, 1184 => :time, 3802 => :json }.freeze

    # Names of these types and of those that {Binary} reads: the stream tells the base type of a domain by its name.
    BY_NAME = { "bool" => 16, "bytea" => 17, "int8" => 20, "int2" => 21, "int4" => 23, "oid" => 26, "json" => 114,
                "float4" => 700, "float8" => 701, "timestamptz" => 1184, "jsonb" => 3802, "char" => 18, "name" => 19,
                "text" => 25, "bpchar" => 1042, "varchar" => 1043, "date" => 1082, "numeric" => 1700,
                "uuid" => 2950 }.freeze

    # 2024-02-29 12:00:00.25+05:30; offsets of long ago have seconds: 1890-01-01 00:53:28+00:53:28
    TIME = /\A\d{4,}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?[+-]\d\d(:\d\d){0,2}\z/

    POWERS = Array.new(7) { |exponent| 10**exponent }.freeze

    # Stands for the JSON value `null`, as nil stands for SQL's NULL. Inside a document null is nil.
    JSON_NULL = :null

    # Levels of nesting that are parsed. The parser calls itself for each, and the stack of a Ractor is small.
    JSON_DEPTH = 500
    JSON_OPTIONS = { max_nesting: JSON_DEPTH, allow_duplicate_key: true,
                     decimal_class: defined?(BigDecimal) ? BigDecimal : Rational }.freeze
    # Takes the options once and not with every document, where the json gem has that.
    CODER = defined?(JSON::Coder) ? JSON::Coder.new(**JSON_OPTIONS) : nil
    Ractor.make_shareable(CODER) if Ratomic::RACTORS
    # Half of a surrogate pair, perhaps without the other half.
    SURROGATE = /\\u[dD][89a-fA-F]/
    # Exponents of five digits and more: no number of PostgreSQL's has them, and they may need any amount of memory.
    EXPONENT = /\d[eE][+-]?0*[1-9]\d{4}/
    STRING = /"(?:[^"\\]|\\.)*"/m

    # This document is well-formed, but no Ruby value is the same: its text stays, and the message tells why.
    class Inexact < StandardError; end

    # What may be changed about the session if text is of the type, but written in another way.
    SETTINGS = { time: "datestyle = ISO", bytes: "bytea_output = hex", text: "client_encoding = UTF8" }.freeze

    # @param json [Symbol] :decimal for JSON as Ruby values, their fractions exact, as
    #   BigDecimal (as Rational where that gem is missing); :text for its text
    # @return [Symbol] :integer, :text, or the name of a method of this module
    def self.for(type, json: :decimal)
      cast = BY_TYPE.fetch(type, :text)
      cast == :json && json == :text ? :text : cast
    end

    # @param cast [Symbol] as {Cast.for} returns it, but :integer
    # @return [Object] what the method of that name returns
    def self.value(cast, text)
      case cast
      when :text then text.freeze
      when :time then time(text)
      when :json then json(text)
      when :float then float(text)
      when :boolean then boolean(text)
      else bytes(text)
      end
    end

    def self.boolean(text)
      case text
      when "t" then true
      when "f" then false
      else raise ArgumentError, "no boolean"
      end
    end

    def self.float(text)
      case text
      when "NaN" then Float::NAN
      when "Infinity" then Float::INFINITY
      when "-Infinity" then -Float::INFINITY
      else Float(text)
      end
    end

    # bytea as `bytea_output` says: hex (\x00ff) or escape (\000\377). In the second a backslash is doubled, so it never
    # begins with \x.
    def self.bytes(text)
      if text.start_with?("\\x")
        raise ArgumentError, "no bytea" unless text.match?(/\A\\x(?:\h\h)*\z/)

        return [text.byteslice(2, text.bytesize)].pack("H*").freeze
      end
      raise ArgumentError, "no bytea" unless text.b.match?(/\A(?:[^\\]|\\\\|\\[0-3][0-7]{2})*\z/mn)

      text.b.gsub(/\\(?:\\|\d{3})/n) { |sign| sign == "\\\\" ? "\\" : sign[1..].to_i(8).chr }.freeze
    end

    # @raise [Inexact] if the text says more than a Ruby value could
    def self.json(text)
      check_numbers(text)
      value = CODER ? CODER.load(text) : JSON.parse(text, **JSON_OPTIONS)
      raise Inexact, "half of a surrogate pair" if text.match?(SURROGATE) && !whole?(value)

      value.nil? ? JSON_NULL : frozen(value)
    rescue JSON::NestingError
      raise Inexact, "nested deeper than #{JSON_DEPTH} levels"
    rescue JSON::ParserError
      raise Inexact, "half of a surrogate pair" if text.match?(SURROGATE)

      raise ArgumentError, "no JSON"
    end

    def self.check_numbers(text)
      return unless text.match?(EXPONENT) && text.gsub(STRING, "").match?(EXPONENT)

      raise Inexact, "an exponent of five digits or more"
    end

    # The json gem can freeze by itself, and then looks up every string in a table that all Ractors have in common.
    def self.frozen(value)
      case value
      when Hash then value.each_value { |element| frozen(element) unless element.frozen? }
      when Array then value.each { |element| frozen(element) unless element.frozen? }
      end
      value.freeze
    end

    def self.whole?(value)
      case value
      when String then value.valid_encoding?
      when Array then value.all? { |element| whole?(element) }
      when Hash then value.all? { |key, element| whole?(key) && whole?(element) }
      else true
      end
    end

    # timestamptz, in ISO style (the default of DateStyle); what is before year 1, and infinity, stays text.
    # The digits are read in place: this is called for every row of a table that says when.
    def self.time(text)
      return other_time(text) unless TIME.match?(text)

      date = text.index("-") # behind the year, which may have more than four digits
      sign = text.getbyte(date + 15) == 46 ? fraction_end(text, date + 16) : date + 15
      moment = Time.utc(digits(text, 0, date), two(text, date + 1), two(text, date + 4), two(text, date + 7),
                        two(text, date + 10), two(text, date + 13), microseconds(text, date + 16, sign))
      offset = offset(text, sign)
      moment -= offset unless offset.zero?
      moment.freeze
    end

    # In ISO style, that is: a German 15.03.0044 BC is not.
    def self.other_time(text)
      unless %w[infinity -infinity].include?(text) || text.match?(/\A\d{4,}-\d\d-\d\d \d\d:\d\d:\d\d.* BC\z/)
        raise ArgumentError, "no timestamptz"
      end

      text.freeze
    end

    # Seconds ahead of UTC.
    def self.offset(text, sign)
      minutes = text.bytesize > sign + 3 ? two(text, sign + 4) : 0
      seconds = text.bytesize > sign + 6 ? two(text, sign + 7) : 0
      seconds += (two(text, sign + 1) * 3600) + (minutes * 60)
      text.getbyte(sign) == 45 ? -seconds : seconds
    end

    # Both signs come before the digits.
    def self.fraction_end(text, at)
      at += 1 while text.getbyte(at) > 47
      at
    end

    # Of the fraction that begins at `from`, if there is one.
    def self.microseconds(text, from, to)
      count = to - from
      count.positive? ? digits(text, from, count) * POWERS[6 - count] : 0
    end

    def self.digits(text, from, count)
      number = 0
      ending = from + count
      while from < ending
        number = (number * 10) + text.getbyte(from) - 48
        from += 1
      end
      number
    end

    def self.two(text, at)
      (text.getbyte(at) * 10) + text.getbyte(at + 1) - 528
    end
    private_class_method :check_numbers, :frozen, :whole?, :other_time, :offset, :fraction_end, :microseconds, :digits,
                         :two
  end
end
