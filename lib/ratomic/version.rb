# frozen_string_literal: true

module Ratomic
  VERSION = "0.1.0"
end
