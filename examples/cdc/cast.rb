# frozen_string_literal: true

require "json"

module Cdc
  # How a value's text becomes a Ruby value, by the type's OID (the built-in types' are the same in every
  # PostgreSQL). What is not listed stays the text that PostgreSQL printed: numeric, so that no digit is lost; date
  # and timestamp without time zone, because they are no moment; arrays and user-defined types.
  #
  # Every method here takes the text and returns a frozen value, and raises ArgumentError if it is no such text.
  module Cast
    BY_TYPE = { 16 => :boolean, 17 => :bytes, 20 => :integer, 21 => :integer, 23 => :integer, 26 => :integer,
                114 => :json, 700 => :float, 701 => :float, 1184 => :time, 3802 => :json }.freeze

    # 2024-02-29 12:00:00.25+05:30
    TIME = /\A\d{4,}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?[+-]\d\d(:\d\d)?\z/

    FROZEN = { freeze: true }.freeze

    # @return [Symbol] :integer, :text, or the name of a method of this module
    def self.for(type)
      BY_TYPE.fetch(type, :text)
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

    # bytea, as PostgreSQL prints it since 9.0.
    def self.bytes(text)
      raise ArgumentError, "no bytea" unless text.match?(/\A\\x(?:\h\h)*\z/)

      [text.byteslice(2, text.bytesize)].pack("H*").freeze
    end

    def self.json(text)
      JSON.parse(text, FROZEN)
    rescue JSON::ParserError
      raise ArgumentError, "no JSON"
    end

    # timestamptz, in ISO style (the default of DateStyle); what is before year 1, and infinity, stays text.
    # The digits are read in place: this is called for every row of a table that says when.
    def self.time(text)
      return other_time(text) unless TIME.match?(text)

      date = text.index("-") # behind the year, which may have more than four digits
      moment = Time.utc(digits(text, 0, date), digits(text, date + 1, 2), digits(text, date + 4, 2),
                        digits(text, date + 7, 2), digits(text, date + 10, 2), digits(text, date + 13, 2))
      sign = text.rindex(/[+-]/)
      Time.at(moment.to_i - offset(text, sign), microseconds(text, date + 15, sign)).utc.freeze
    end

    def self.other_time(text)
      raise ArgumentError, "no timestamptz" unless text.end_with?("infinity", "BC")

      text.freeze
    end

    # Seconds ahead of UTC.
    def self.offset(text, sign)
      minutes = text.bytesize > sign + 3 ? digits(text, sign + 4, 2) : 0
      seconds = (digits(text, sign + 1, 2) * 3600) + (minutes * 60)
      text.getbyte(sign) == 45 ? -seconds : seconds
    end

    # Of the fraction whose point is at `from`, if there is one.
    def self.microseconds(text, from, to)
      count = to - from - 1
      count.positive? ? digits(text, from + 1, count) * (10**(6 - count)) : 0
    end

    def self.digits(text, from, count)
      number = 0
      count.times { |place| number = (number * 10) + text.getbyte(from + place) - 48 }
      number
    end
    private_class_method :other_time, :offset, :microseconds, :digits
  end
end
