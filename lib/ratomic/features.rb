# frozen_string_literal: true

require "etc"

module Ratomic
  # Whether this Ruby has the Ractors that ratomic is made for (CRuby 4.0 and newer). Asked here and nowhere else.
  # Without them {Pool} is missing and {Workers} run on threads.
  RACTORS = defined?(Ractor::Port) ? true : false

  # Whether each Ractor has a heap of its own and collects it by itself (CRuby 4.1 and newer). With that came that
  # Ractors run on as many native threads as there are processors, and not on eight. Asked here and nowhere else: the
  # native extension reads this constant.
  HEAP_PER_RACTOR = GC.stat.key?(:page_pool_total_pages)
end
