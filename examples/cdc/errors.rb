# frozen_string_literal: true

module Cdc
  # The superclass of all errors of this example.
  class Error < StandardError; end

  # One message that is not what pgoutput defines, or that cannot be decoded. The stream goes on behind it.
  class MalformedMessage < Error; end

  # No message can be found from the first byte on: this is no pgoutput stream.
  class MalformedStream < Error; end

  # The stream ends inside a message or inside a transaction.
  class TruncatedStream < Error; end
end
