# frozen_string_literal: true

module Ratomic
  # Whether this Ruby has the Ractors that ratomic is made for (CRuby 4.0 and newer). Asked here and nowhere else.
  # Without them {Pool} is missing and {Workers} run on threads.
  RACTORS = defined?(Ractor::Port) ? true : false
end
