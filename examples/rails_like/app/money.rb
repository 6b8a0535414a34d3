# frozen_string_literal: true

# A helper of the templates.
module Money
  # @param cents [Integer]
  # @return [String]
  def euros(cents)
    format("%<euros>d.%<cents>02d EUR", euros: cents / 100, cents: cents % 100)
  end
end
