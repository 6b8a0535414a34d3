# frozen_string_literal: true

require "test_helper"
require "support/fallback_contract"

class FallbackToThreadsTest < Minitest::Test
  include FallbackContract

  def fallback = :thread
end

class FallbackToProcessesTest < Minitest::Test
  include FallbackContract

  def fallback = :process
end
