# frozen_string_literal: true

require "test_helper"
require "support/walks"

# Whatever makes the VM walk objects of ours, beside Ractors that allocate, neither hangs nor crashes. Two seconds each
# in the suite, a minute with `rake stress`.
class WalkStress < Minitest::Test
  Walks::ALL.each_key do |name|
    define_method(:"test_#{name}_beside_ractors_that_allocate") do
      skip_without_ractors
      seconds = stress(2)
      done = ruby!(Walks.program(name, seconds, seeded(name.sum).rand(2**30)), seconds: seconds + 30,
                                                                               env: Waiting::NATIVE_THREADS)
      assert_operator Integer(done), :>, 0
    end
  end
end
