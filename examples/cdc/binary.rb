# frozen_string_literal: true

module Cdc
  # How a value that came in binary form (the option `binary 'true'`) becomes the value that its text would have
  # become: every type that {Cast} knows, and those whose text is easily made of it. Any other is refused, by its name.
  module Binary
    READERS = { 16 => :boolean, 17 => :bytes, 20 => :int8, 21 => :int2, 23 => :int4, 26 => :oid, 700 => :float4,
                701 => :float8, 1184 => :timestamptz, 114 => :json, 3802 => :jsonb, 25 => :text, 1043 => :text,
                1042 => :text, 19 => :text, 18 => :text, 1700 => :numeric, 2950 => :uuid, 1082 => :date }.freeze
    INFINITE = [(2**63) - 1, -(2**63)].freeze
    SPECIAL = { 0xc000 => "NaN", 0xd000 => "Infinity", 0xf000 => "-Infinity" }.freeze
    JULIAN = 2_451_545 # 2000-01-01
    # The first moment of year 1: what is before stays text, as in Cast.
    YEAR_ONE = -63_082_281_600_000_000

    # @param type [Integer] OID
    # @param cast [Symbol] what {Cast} makes of it
    # @param bytes [String] UTF-8
    # @return [Object] frozen
    # @raise [ArgumentError] if the bytes are none of the type, or the type is not known here
    def self.value(type, cast, bytes)
      reader = READERS[type]
      unless reader
        raise ArgumentError, "a value of the type #{type} in binary form, which is not decoded here: " \
                             "leave the option binary out"
      end

      value = public_send(reader, bytes)
      return value unless value.is_a?(String) && %i[jsonb json].include?(reader)

      cast == :json ? Cast.json(value) : value
    end

    def self.boolean(bytes)
      case sized(bytes, 1).getbyte(0)
      when 0 then false
      when 1 then true
      else raise ArgumentError, "no boolean"
      end
    end

    def self.bytes(bytes)
      bytes.b.freeze
    end

    def self.int2(bytes)
      sized(bytes, 2).unpack1("s>")
    end

    def self.int4(bytes)
      sized(bytes, 4).unpack1("l>")
    end

    def self.int8(bytes)
      sized(bytes, 8).unpack1("q>")
    end

    def self.oid(bytes)
      sized(bytes, 4).unpack1("N")
    end

    # As the text of a real has it: the shortest number that is nearer to this real than to any other.
    def self.float4(bytes)
      single = sized(bytes, 4).unpack1("g")
      return single if !single.finite? || single.zero?

      inner, outer = gaps(bytes.unpack1("N"), single)
      (1..9).each do |digits|
        short = Float(format("%.*e", digits - 1, single))
        gap = short.abs > single.abs ? outer : inner
        return short if (short.to_r - single.to_r).abs * 2 < gap
      end
      single
    end

    # How far it is to the reals beside this one, towards zero and away from it. Behind the largest there is none.
    def self.gaps(bits, single)
      inner, outer = [-1, 1].map { |step| [bits + step].pack("N").unpack1("g") }
      inner = (single - inner).to_r.abs
      [inner, outer.finite? ? (outer - single).to_r.abs : inner]
    end

    def self.float8(bytes)
      sized(bytes, 8).unpack1("G")
    end

    def self.timestamptz(bytes)
      microseconds = int8(bytes)
      return (microseconds.positive? ? "infinity" : "-infinity") if INFINITE.include?(microseconds)
      raise ArgumentError, "a time before year 1 in binary form: leave the option binary out" if microseconds < YEAR_ONE

      seconds, rest = microseconds.divmod(1_000_000)
      Time.at(Transaction::EPOCH + seconds, rest).utc.freeze
    end

    def self.text(bytes)
      raise ArgumentError, "no UTF-8: the session needs client_encoding = UTF8" unless bytes.valid_encoding?

      bytes.freeze
    end

    def self.json(bytes)
      text(bytes)
    end

    # One byte with the version of the format, then the text.
    def self.jsonb(bytes)
      raise ArgumentError, "no jsonb of version 1" unless bytes.getbyte(0) == 1

      text(bytes.byteslice(1, bytes.bytesize))
    end

    # Groups of four decimal digits; the weight is the place of the first one before the point.
    def self.numeric(bytes)
      raise ArgumentError, "no numeric" if bytes.bytesize < 8

      count, weight, sign, scale, *groups = bytes.b.unpack("ns>nnn*")
      return SPECIAL[sign] if SPECIAL[sign]
      raise ArgumentError, "no numeric" unless count == groups.size && [0, 0x4000].include?(sign)

      whole = (0..weight).map { |place| format("%04d", groups.fetch(place, 0)) }.join.sub(/\A0+(?=\d)/, "")
      "#{'-' if sign == 0x4000}#{whole.empty? ? '0' : whole}#{fraction(groups, weight, scale)}".freeze
    end

    def self.fraction(groups, weight, scale)
      return "" if scale.zero?

      places = (weight + 1..weight + ((scale + 3) / 4))
      digits = places.map { |place| format("%04d", place.negative? ? 0 : groups.fetch(place, 0)) }.join
      ".#{digits[0, scale]}"
    end

    def self.uuid(bytes)
      sized(bytes, 16).unpack("H8H4H4H4H12").join("-").freeze
    end

    def self.date(bytes)
      days = int4(bytes)
      return (days.positive? ? "infinity" : "-infinity") if [(2**31) - 1, -(2**31)].include?(days)

      year, month, day = civil(days + JULIAN)
      text = format("%<year>04d-%<month>02d-%<day>02d", year: year.positive? ? year : 1 - year, month: month, day: day)
      (year.positive? ? text : "#{text} BC").freeze
    end

    # The Gregorian calendar, also before it was made, as PostgreSQL has it. Its years here begin with March.
    def self.civil(julian)
      centuries, days = ((4 * (julian + 32_044)) + 3).divmod(146_097)
      years, days = ((4 * (days / 4)) + 3).divmod(1461)
      month = ((5 * (days / 4)) + 2) / 153
      day = (days / 4) - (((153 * month) + 2) / 5) + 1
      [(100 * centuries) + years - 4800 + (month / 10), month + 3 - (12 * (month / 10)), day]
    end

    def self.sized(bytes, size)
      raise ArgumentError, "#{bytes.bytesize} bytes where #{size} are due" unless bytes.bytesize == size

      bytes.b
    end
    private_class_method :gaps, :fraction, :civil, :sized
  end
end
