# frozen_string_literal: true

require "test_helper"
require "json"

# Plain data on its way to another process: what comes out is what Marshal would return.
class ProcessPlainDataTest < Minitest::Test
  PlainData = Ratomic::Workers::Processes::PlainData
  HEAD = Ratomic::Workers::Processes::Wire::HEAD_BYTES

  # Objects of chance, of which some are met again.
  class Generator
    FLOATS = [0.0, -0.0, 1.5, -1e300, 1e-310, Float::NAN, Float::INFINITY, -Float::INFINITY, 0.1].freeze
    INTEGERS = [0, 1, 63, 64, -1, -64, 2**31, -(2**40), (2**62) - 1, 2**62, -(2**62), -(2**62) - 1, 2**64, -(2**64),
                10**40, -(10**40)].freeze
    TEXTS = ["", "plain", "\u00e4\u{1f600}", "\xff\xfe", "x" * 300, "\u00e4".encode("UTF-16LE"), "\xe4".b,
             "ascii".encode("US-ASCII"), "\u3042".encode("EUC-JP"), "\u00e4".encode("ISO-8859-1"), "nul\0"].freeze
    SYMBOLS = [:a, :"with space", :"\u00e4", :"", :[]=, "\u3042".encode("EUC-JP").to_sym].freeze

    def initialize(seed)
      @random = Random.new(seed)
      @known = []
    end

    def any(depth = 0)
      return @known.sample(random: @random) if @known.any? && @random.rand(6).zero?

      object = make(depth < 5 ? @random.rand(10) : @random.rand(6), depth)
      @known << object
      object
    end

    private

    def make(kind, depth)
      case kind
      when 0 then [nil, true, false].sample(random: @random)
      when 1 then FLOATS.sample(random: @random) * [1, 1.0].sample(random: @random)
      when 2 then INTEGERS.sample(random: @random) + @random.rand(2)
      when 3 then SYMBOLS.sample(random: @random)
      when 4, 5 then text
      when 6, 7 then Array.new(@random.rand(6)) { any(depth + 1) }
      else Array.new(@random.rand(6)) { [key, any(depth + 1)] }.to_h
      end
    end

    def text
      text = TEXTS.sample(random: @random).dup
      @random.rand(3).zero? ? text.freeze : text
    end

    def key
      object = @known.grep_v(Enumerable).sample(random: @random) if @random.rand(3).zero?
      object.nil? ? make(@random.rand(6), 9) : object
    end
  end

  def through(object, frozen: false)
    frame = PlainData.frame("p", object) or return :refused

    letter, size = frame.unpack("aN")
    assert_equal ["p", frame.bytesize - HEAD], [letter, size]
    PlainData.load(frame.byteslice(HEAD, size), frozen)
  end

  def by_marshal(object)
    Marshal.load(Marshal.dump(object))
  end

  # Everything that can be told of an object, and which parts of it are one.
  def look(object, seen = {}.compare_by_identity)
    return [:again, seen[object]] if seen.key?(object)

    seen[object] = seen.size unless object.is_a?(Symbol) || object.frozen? && object.is_a?(Numeric)
    [object.class, object.frozen?, *inside(object, seen)]
  end

  def inside(object, seen)
    case object
    when String then [object.encoding, object.b, object.instance_variables]
    when Float then [[object].pack("G")]
    when Symbol then [object, object.encoding]
    when Array then object.map { |element| look(element, seen) }
    when Hash then [object.default, object.compare_by_identity?] +
      object.map { |key, value| [look(key, String === key ? {}.compare_by_identity : seen), look(value, seen)] }
    else [object]
    end
  end

  def test_reading_gives_the_same_as_marshal
    200.times do |seed|
      object = Array.new(5).map { Generator.new(seed).any }
      assert_equal look(by_marshal(object)), look(through(object)), "seed #{seed}"
    end
  end

  def test_references_to_one_object_stay_references_to_one_object
    text = +"text"
    list = [text, +"text", text]
    hash = { "a" => list, "b" => [list, text], text => text }
    made = through([hash, hash, { "a" => 1.0e300 }, list])
    assert_same made[0], made[1]
    assert_same made[0]["a"], made[3]
    assert_same made[0]["a"][0], made[0]["b"][1]
    assert_same made[0]["b"][0], made[0]["a"]
    refute_same made[3][0], made[3][1]
    assert_same made[0].keys[0], made[2].keys[0]
    refute_same made[0].keys[2], made[0]["text"]
    assert_same made[0]["text"], made[3][0]
    assert_equal [false, true], [made[0]["text"].frozen?, made[0].keys[2].frozen?]
    big = 10**40
    made = through([big, big, { big => big }])
    assert_same made[0], made[1]
  end

  def test_reading_survives_a_collection_at_every_allocation
    key = +"shared"
    object = Array.new(3) { |n| { "k#{n}" => "v" * n, n => [key, "stressed #{n}".to_sym, 1.0e300 * n, 10**30] } }
    frame = PlainData.frame("p", object)
    bytes = frame.byteslice(HEAD, frame.bytesize)
    stressed = GC.stress
    minor = 1 # a full one at each would take seconds
    [false, true].each do |frozen|
      GC.stress = minor
      made = PlainData.load(bytes, frozen)
      GC.stress = stressed
      assert_equal object, made
    end
    GC.stress = minor
    again = PlainData.frame("p", object)
    GC.stress = stressed
    assert_equal frame, again
  ensure
    GC.stress = stressed
  end

  def test_frozen_data_is_shareable_with_all_its_parts
    object = [{ "a" => [+"b", 1.0e300, 10**40, :c], 1 => {}, nil => [], :s => +"\xff" }, "x" * 5000]
    made = through(object, frozen: true)
    assert_equal object, made
    parts = [made]
    parts.each { |part| parts.concat(part.is_a?(Hash) ? part.to_a.flatten(1) : part) if part.is_a?(Enumerable) }
    assert(parts.all?(&:frozen?))
    assert(parts.all? { |part| Ractor.shareable?(part) })
    refute through(object).frozen?
  end

  # @return [Hash{String => Object}]
  def odd
    cycle = []
    cycle << [cycle]
    ring = {}
    ring[:ring] = [ring]
    own = Class.new(String)
    one = +"one"
    def one.more; end
    { cycle: cycle, ring: ring, default: Hash.new(1), block: Hash.new { 1 }, identity: {}.compare_by_identity,
      full_identity: { "a" => 1 }.compare_by_identity, subclass: own.new("a"), array: Class.new(Array).new,
      hash: Class.new(Hash).new, singleton: one, variable: (+"a").tap { |text| text.instance_variable_set(:@a, 1) },
      keywords: Hash.ruby2_keywords_hash({ a: 1 }), key: { [1] => 2 }, object_key: { Object.new => 1 },
      subclass_key: { own.new("a").freeze => 1 }, array_variable: [].tap { |list| list.instance_variable_set(:@a, 1) },
      object: Object.new, struct: Struct.new(:a).new(1), range: 1..2, rational: 1r, time: Time.now, regexp: /a/,
      class: String, deep: Array.new(101).inject([]) { |inner, _| [inner] } }
  end

  def test_other_than_plain_data_is_refused
    odd.each do |name, object|
      assert_nil PlainData.frame("p", object), name
      assert_nil PlainData.frame("p", [1, { "a" => [object] }]), name
    end
    assert_raises(ArgumentError) { PlainData.frame("", 1) }
    assert_raises(TypeError) { PlainData.frame(nil, 1) }
    assert_raises(TypeError) { PlainData.load(nil, false) }
  end

  # By the flag of its header where that was proved, elsewhere by the method.
  def test_a_hash_that_is_to_become_keywords_is_refused_however_objects_are_noted_as_shareable
    ["", "walk", "function"].each do |way|
      out = ruby!(<<~RUBY, env: { "RATOMIC_SHAREABLE" => way })
        require "ratomic"
        FRAME = ->(hash) { Ratomic::Workers::Processes::PlainData.frame("p", hash).nil? }
        hash = { a: 1 }
        p [FRAME.call(hash), FRAME.call(Hash.ruby2_keywords_hash(hash))]
        def Hash.ruby2_keywords_hash?(_) = false
        p Ratomic::Workers::Sharing.way == "flag" ? :flag : FRAME.call(hash)
      RUBY
      flag = way.empty? && Ratomic::Workers::Sharing.way == "flag"
      assert_equal ["[false, true]", flag ? ":flag" : "true"], out.lines(chomp: true), way
    end
  end

  def test_the_deepest_nesting_that_is_allowed
    deep = (0...99).inject([1]) { |inner, n| n.odd? ? [inner] : { "a" => inner } }
    assert_equal deep, through(deep)
    assert_equal deep, within(20) { Fiber.new { through(deep, frozen: true) }.resume }
  end

  def test_documents_are_written_and_read
    document = JSON.parse('{"a":[{"id":1,"name":"x","tags":["y","z"],"score":1.25},{"id":-2,"name":null}],"b":true}')
    assert_equal look(by_marshal(document)), look(through(document))
    wide = (0...300).to_h { |n| ["key #{n}", n] }
    assert_equal look(by_marshal([wide, wide.keys])), look(through([wide, wide.keys]))
  end

  # However the bytes come, in whatever pieces.
  def test_frames_are_taken_out_of_a_buffer
    wire = Ratomic::Workers::Processes::Wire
    bytes = [PlainData.frame("p", { "a" => [1, "\u00e4" * 90] }), wire.frame("t", "\u00e4\xff" * 70), wire.frame("d"),
             wire.frame("r", "raw"), wire.frame("t"), PlainData.frame("n", ["\0", [nil]])].join.b
    expected = ["p", { "a" => [1, "\u00e4" * 90] },
                "t", "\u00e4\xff" * 70, "d", "", "r", "raw", "t", "", "n", ["\0", [nil]]]
    [1, 3, 7, 250, bytes.bytesize].product([true, false]) do |size, frozen|
      buffer = String.new(encoding: Encoding::BINARY)
      piece = +""
      taken = bytes.bytes.each_slice(size).flat_map do |part|
        PlainData.take(buffer, piece.replace(part.pack("C*")), frozen)
      end
      assert_equal [expected, ""], [taken, buffer]
      assert_equal [frozen] * 3, taken.values_at(1, 3, 11).map(&:frozen?)
      assert_equal [Encoding::UTF_8, Encoding::BINARY], taken.values_at(3, 7).map(&:encoding)
      refute taken[7].frozen?
    end
  end

  def test_a_damaged_frame_raises
    assert_raises(ArgumentError) { PlainData.take(+"", "p\0\0\0\1\x3f", true) }
    assert_equal [], PlainData.take(buffer = +"", "p\xff\xff\xff\xff".b, true)
    assert_equal 5, buffer.bytesize
  end

  # A frame of which the end is missing, or in which bytes were changed, raises or makes something else: it reads
  # nothing beyond its end, and asks for no more memory than there are bytes.
  def test_damaged_bytes_raise
    object = { "key" => [1, -70, 2.5, "text", :symbol, 10**30, "\u3042".encode("EUC-JP")], "key2" => { "key" => nil } }
    object["again"] = object["key"]
    frame = PlainData.frame("p", object)
    bytes = frame.byteslice(HEAD, frame.bytesize)
    bytes.bytesize.times do |size|
      assert_raises(ArgumentError) { PlainData.load(bytes.byteslice(0, size), false) }
    end
    assert_raises(ArgumentError) { PlainData.load("#{bytes}\0", false) }
    random = Random.new(3)
    made = Array.new(4_000) { attempt(damaged(bytes, random), random.rand(2).zero?) }
    assert_operator made.count(:raised), :>, 500
  end

  def damaged(bytes, random)
    changed = bytes.dup
    (1 + random.rand(3)).times { changed.setbyte(random.rand(changed.bytesize), random.rand(256)) }
    changed
  end

  def attempt(bytes, frozen)
    PlainData.load(bytes, frozen).inspect
  rescue ArgumentError, EncodingError, RangeError
    :raised
  end
end
