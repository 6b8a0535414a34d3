# frozen_string_literal: true

require "ratomic"
require_relative "karafka/message"
require_relative "karafka/immediate"
require_relative "karafka/future"
require_relative "karafka/interface"
require_relative "karafka/deserialize"
require_relative "karafka/pool"

module Ratomic
  # Deserialization of Karafka's messages by {Workers}, with the interface of Karafka's own pool for it
  # (+Karafka::Deserializing::Parallel+). Not loaded with the gem: +require "ratomic/karafka"+.
  #
  # Topics choose it as they choose Karafka's own: +deserializing(parallel: true)+.
  #
  # @example in karafka.rb, after +require "karafka"+
  #   require "ratomic/karafka"
  #   Ratomic::Karafka.install
  module Karafka
    # Puts {Pool} in the place of Karafka's own. To be called once, before Karafka is set up.
    #
    # @param karafka [Module] Karafka
    # @return [Class] the pool that Karafka uses from now on
    # @raise [Ratomic::Error] if Karafka is not loaded, or has no parallel deserialization
    def self.install(karafka = nil)
      karafka ||= loaded
      parallel = parallel_of(karafka)
      return parallel::Pool if parallel::Pool <= Pool

      pool = Class.new(Pool)
      pool.interface = Interface.of(parallel)
      parallel.send(:remove_const, :Pool)
      parallel.const_set(:Pool, pool)
      karafka.monitor.subscribe("app.stopped") { pool.instance.shutdown } if karafka.respond_to?(:monitor)
      pool
    end

    def self.loaded
      return ::Karafka if defined?(::Karafka)

      raise Error, "Karafka is not loaded; call Ratomic::Karafka.install after require \"karafka\""
    end
    private_class_method :loaded

    def self.parallel_of(karafka)
      karafka.const_get(:Deserializing).const_get(:Parallel)
    rescue NameError
      raise Error, "this Karafka has no parallel deserialization (Karafka::Deserializing::Parallel); upgrade it"
    end
    private_class_method :parallel_of
  end
end
