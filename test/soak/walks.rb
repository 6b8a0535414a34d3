# frozen_string_literal: true

require_relative "support/part"
require_relative "../support/walks"

# One kind of walk (see Walks) for the whole time: walks.rb NAME. Whether it comes to its end is the question.
Soak::Part.run(needs_ractors: true) do |part|
  part.begin_with(part.seed)
  "#{Walks.run(part.variant, part.seconds, part.seed)} times, beside #{Walks::ALLOCATING} Ractors that allocate"
end
