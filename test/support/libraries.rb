# frozen_string_literal: true

require_relative "../../examples/support/libraries"

# Libraries of others that some tests need. A test skips, and says so, where there is none.
module Libraries
  # @param name [String] what is required
  # @param package [String] that brings it
  def need(name, package)
    Libraries.load(name) || skip("needs #{name} (Debian: apt install #{package})")
  end
end
