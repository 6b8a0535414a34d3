# frozen_string_literal: true

module Ratomic
  module Workers
    # Makes results shareable: seals them, see the words in CONTRIBUTING.
    #
    # A result is frozen in place in the Ractor that made it, because nobody else refers to it. With the `:thread`
    # backend, and where a caller runs items of such a pool, a result may be a constant or a memo of the program. Then a
    # frozen copy takes its place.
    #
    # Plain data is frozen natively ({Sharing}); everything else by {FrozenCopy}, one result after the other. A result
    # that cannot be made shareable becomes a {Failure}.
    module ResultFreezer
      class << self
        # @param results [Array]
        # @param first [Integer] the index of the first
        # @param how [:in_place, :copied] what is done with results that are not shareable, see above
        # @return [Array] frozen and shareable; the same Array or another one
        def seal(results, first, how = :in_place)
          return results.freeze if Sharing.deep_frozen?(results)

          if how == :in_place
            results.freeze
            return results if Sharing.deep_freeze(results)
          end
          sealed = results.each_with_index.map { |result, offset| seal_one(result, first + offset, how) }
          sealed.freeze
          Sharing.deep_frozen?(sealed) ? sealed : Ractor.make_shareable(sealed)
        end

        # As {seal}, for one result.
        # @return [Object, Failure] the result, or why it cannot be shared
        def seal_one(result, index, how = :in_place)
          plain = how == :copied ? Sharing.frozen_copy(result) : Sharing.deep_freeze(result) && result
          return plain if plain

          obstacle = UnshareablePart.forbidden(result) unless Sharing.ordinary?(result)
          return unsealed(result, index, obstacle) if obstacle

          return result if FrozenCopy.shareable?(result)

          how == :copied ? FrozenCopy.of(result) : FrozenCopy.seal(result)
        rescue UserException => e
          unsealed(result, index, UnshareablePart.describe(result, e))
        end

        private

        def unsealed(result, index, obstacle)
          kind = Reflection.class_of(result)
          Failure.new(index, ShareableError.name,
                      "the result (#{kind}) cannot be made shareable: #{obstacle}; " \
                      "return what is needed of it as plain data")
        end
      end
    end
  end
end
