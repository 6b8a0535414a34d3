# frozen_string_literal: true

require "test_helper"
require "ratomic/karafka"

# Programs ask all modules, or all objects, what every object answers: `ObjectSpace.each_object(Module).map(&:name)`.
class CoreMethodsTest < Minitest::Test
  NAME = Module.instance_method(:name)
  # A mailbox is a port, or stands in for one; and whether one can make an object of a class is for the class to say.
  EXEMPT = { Ratomic::Workers.const_get(:Mailbox)::QueueMailbox => %i[send], Class => %i[new allocate] }.freeze

  def test_each_module_answers_what_every_module_does
    wrong = modules.flat_map do |mod|
      core = Class === mod ? Class : Module
      differences(core, Kernel.instance_method(:singleton_class).bind_call(mod)).map do |text|
        "#{NAME.bind_call(mod)}.#{text}"
      end
    end
    assert_empty wrong
  end

  def test_each_object_answers_what_every_object_does
    wrong = modules.grep(Class).select { |kind| kind <= Object }.flat_map do |kind|
      differences(Object, kind).map { |text| "#{NAME.bind_call(kind)}##{text}" }
    end
    assert_empty wrong
  end

  private

  def modules
    found = ObjectSpace.each_object(Module).select { |mod| NAME.bind_call(mod)&.match?(/\ARatomic(::|\z)/) }
    assert_operator found.size, :>, 200
    found
  end

  # @return [Array<String>] methods that are not public in `kind`, or take other arguments, and are not so in `core`
  def differences(core, kind)
    (core.public_instance_methods - EXEMPT.fetch(kind, []) - EXEMPT.fetch(core, [])).filter_map do |name|
      next "#{name} is not public" unless kind.public_method_defined?(name)

      mine, original = [kind, core].map { |owner| owner.instance_method(name) }
      next unless mine.owner.inspect.include?("Ratomic") # not what the class has from Singleton

      "#{name} takes other arguments" unless takes_all?(mine.arity, original.arity)
    end
  end

  # Whether a method of the first arity can be called as one of the second one is with the fewest arguments.
  def takes_all?(mine, original)
    least = original.negative? ? ~original : original
    mine == original || (mine.negative? && ~mine <= least)
  end
end
