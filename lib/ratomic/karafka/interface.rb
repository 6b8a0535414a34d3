# frozen_string_literal: true

module Ratomic
  module Karafka
    # The classes of the objects that a pool returns and takes: our own, or those of the Karafka that it was installed
    # in.
    #
    # future: a Class with {Future::Retrieval}; immediate: the object for messages that were not dispatched; error: the
    # marker of a failed payload; message: a Class whose +new+ takes the raw payload; usual: a Class of distributors
    # that are not called, because the workers cut the messages into chunks
    Interface = Struct.new(:future, :immediate, :error, :message, :usual) do
      # @return [Interface] without Karafka
      def self.own
        new(Future, Immediate.instance, Object.new.freeze, Message, NilClass).freeze
      end

      # @param parallel [Module] Karafka::Deserializing::Parallel
      # @return [Interface]
      def self.of(parallel)
        future = Class.new(parallel::Future) { include Future::Retrieval }
        new(future, parallel::Immediate.instance, parallel::DESERIALIZATION_ERROR, parallel::MessageProxy,
            parallel::Distributor).freeze
      end
    end
  end
end
