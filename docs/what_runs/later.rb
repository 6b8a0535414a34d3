# frozen_string_literal: true

class WhatRunsOwn
  # Loaded when it is first used.
  Later = Class.new
end
