# frozen_string_literal: true

require "test_helper"
require "tempfile"
require_relative "../../examples/events/events"

class EventsTest < Minitest::Test
  RUN = File.expand_path("../../examples/events/run", __dir__)

  def generator(seed = 7)
    Events::Generator.new(seed: seed)
  end

  def refusal(json)
    assert_raises(Events::Invalid) { Events::ParseEvent.call(json) }.message
  end

  def test_nil_in_the_place_of_a_document_gives_nil
    assert_nil Events::ParseEvent.call(nil)
  end

  def test_the_same_seed_gives_the_same_documents_and_another_seed_others
    assert_equal generator(7).documents(40), generator(7).documents(40)
    assert_empty generator(7).documents(40) & generator(8).documents(40)
  end

  def test_every_document_is_different_and_frozen
    documents = generator.documents(300)
    assert_equal 300, documents.uniq.size
    assert Ractor.shareable?(documents)
  end

  def test_every_size_is_within_five_per_cent
    Events::Generator::TYPES.each do |type, (bytes, _share, _builder)|
      30.times { |index| assert_in_delta bytes, generator.document(type, index).bytesize, bytes * 0.05, type }
    end
    assert_equal [524, 5_000, 19_000, 78_000], Events::Generator::TYPES.values.map(&:first)
  end

  def test_a_good_document_becomes_a_deeply_frozen_event
    Events::Generator::TYPES.each_key do |type|
      json = generator.document(type, 3)
      event = Events::ParseEvent.call(json)
      assert_equal JSON.parse(json), event
      assert Ractor.shareable?(event), type
    end
  end

  def test_one_per_cent_is_malformed_and_nothing_else_is
    generator = generator(3)
    places = generator.malformed(400)
    assert_equal 4, places.size
    refused = generator.documents(400).each_with_index.map do |json, index|
      Events::ParseEvent.call(json) && nil
    rescue Events::Invalid
      index
    end
    assert_equal places.keys.sort, refused.compact
  end

  def test_every_kind_of_damage_to_every_type_is_refused_with_one_short_line
    Events::Generator::TYPES.each_key do |type|
      Events::Damage::KINDS.each do |kind|
        message = refusal(Events::Damage.call(generator.document(type, 5), kind, Random.new(1)))
        refute_includes message, "\n", "#{type}, #{kind}"
        assert_operator message.size, :<, 200, "#{type}, #{kind}"
      end
    end
  end

  def test_the_message_says_what_is_wrong
    event = JSON.parse(generator.document("order", 1))
    assert_match(/\A#{event["id"]}: type must be one of payment, order/,
                 refusal(JSON.generate(event.merge("type" => 1))))
    assert_match(/source must be a text, is missing/, refusal(JSON.generate(event.except("source"))))
    event["data"]["lines"].first["quantity"] = 0
    assert_match(/quantity must be an integer in 1..10000, is 0 \(Integer\)/, refusal(JSON.generate(event)))
    event["data"]["lines"].clear
    assert_match(/lines must be a list with elements/, refusal(JSON.generate(event)))
  end

  def test_sums_are_checked
    event = JSON.parse(generator.document("statement", 1))
    event["data"]["transactions"][7]["amount_cents"] += 1
    assert_match(/balance_cents of trx-\d+ is -?\d+, but it adds up to -?\d+/, refusal(JSON.generate(event)))

    event = JSON.parse(generator.document("telemetry", 1))
    event["data"]["sensors"][2]["summary"]["mean"] += 0.5
    assert_match(/pressure: mean is [\d.]+, but the readings give/, refusal(JSON.generate(event)))
  end

  def test_readings_must_go_forward_in_time
    event = JSON.parse(generator.document("telemetry", 1))
    readings = event["data"]["sensors"][0]["readings"]
    readings[3]["at_ms"] = readings[2]["at_ms"]
    assert_match(/inlet_temperature: at_ms \d+ is not after \d+/, refusal(JSON.generate(event)))
  end

  def test_a_message_that_is_no_event_is_refused
    assert_match(/not JSON \(0 bytes\)/, refusal(""))
    assert_match(/an event is a JSON object, not Array/, refusal("[]"))
    assert_match(/not valid UTF-8/, refusal("{\"id\":\"\xFF\"}"))
    assert_match(/not JSON/, refusal("[" * 300))
  end

  def test_malformed_documents_are_failures_in_place_and_the_rest_are_events
    documents = generator(5).documents(200)
    results = within(60) { Ratomic::Workers.dispatch_async(documents, Events::ParseEvent).value }
    bad = generator(5).malformed(200).keys
    failed = results.each_index.select { |index| results[index].is_a?(Ratomic::Workers::Failure) }
    assert_equal bad.sort, failed
    bad.each do |index|
      assert_equal "Events::Invalid", results[index].exception_class.to_s
      assert_equal refusal(documents[index]), results[index].message
    end
    (results.each_index.to_a - bad).each { |index| assert_equal JSON.parse(documents[index]), results[index] }
  end

  def test_the_pipeline_keeps_the_same_as_one_by_hand
    documents = Events::Generator.new(seed: 5).documents(600)
    future = Ratomic::Workers.dispatch_async([nil, *documents], Events::PIPELINE)
    results = within(60) { future.value }
    expected = documents.each_with_index.filter_map do |json, index|
      kept = Events::Stages::ByHand.call(json)
      [index + 1, kept] unless kept.equal?(Ratomic::Workers::DROPPED)
    rescue Events::Invalid => e
      [index + 1, e.message]
    end
    found = future.indices.zip(results)
    assert_equal(expected, found.map { |index, kept| [index, kept.is_a?(Array) ? kept : kept.message] })
    assert_operator results.grep(Array).size, :>, 2
    failures = results.grep(Ratomic::Workers::Failure)
    assert_equal 6, failures.size
    stages = failures.map { |failure| failure.stage.delete_prefix("Events::Stages::") }
    assert_equal %w[Parse Validate], stages.uniq.sort
  end

  def test_the_script_counts_the_events_and_names_the_malformed_documents
    result = run_script("--items", "100")
    assert_predicate result, :success?, result.err
    assert_match(/payment +\d+ events/, result.out)
    assert_match(/malformed +1 documents/, result.out)
    assert_match(/\Agenerated: document \d+: .+\n\z/, result.err)
  end

  def test_the_script_parses_a_file_and_refuses_a_malformed_one
    good = generator.document("payment", 1)
    with_file("#{good}\n\n#{good}\n") { |path| assert_predicate run_script(path), :success? }
    with_file("#{good}\n{\"id\":\n") do |path|
      result = run_script(path)
      assert_equal 1, result.status.exitstatus
      assert_match(/\A#{Regexp.escape(path)}: document 2: not JSON \(6 bytes\): .+\n\z/, result.err)
    end
  end

  def test_the_script_says_in_one_line_what_it_cannot_use
    with_file("\n") { |path| assert_refused 1, /holds no documents/, path }
    assert_refused 1, %r{\Aexamples/events/run: No such file or directory: /nowhere/at/all}, "/nowhere/at/all"
    assert_refused 2, /--workers -1/, "--workers", "-1"
    assert_refused 2, /2 arguments/, "one", "two"
  end

  private

  def run_script(*arguments)
    run_command(RbConfig.ruby, RUN, *arguments, seconds: 60)
  end

  def assert_refused(status, line, *arguments)
    result = run_script(*arguments)
    assert_equal status, result.status.exitstatus, result.err
    assert_match line, result.err
    assert_equal 1, result.err.lines.size, result.err
    assert_empty result.out
  end

  def with_file(text)
    Tempfile.create("events") do |file|
      file.write(text)
      file.close
      yield file.path
    end
  end
end
