# frozen_string_literal: true

require "set"

module Ratomic
  # Makes objects shareable that `Ractor.make_shareable` does not handle: graphs with a Set, with a Hash whose keys are
  # found by identity, or with an exception ({Workers::Sharing}.odd?).
  #
  # - CRuby 4.0 copies few Sets: none with instance variables, none within a Set, none that compares by identity and has
  #   unshareable elements. And when it makes a Set shareable, it walks its elements while it holds the lock of the VM.
  #   For elements that are not shareable yet it allocates memory there, and if other Ractors run, the process hangs. So
  #   this class makes the elements of a Set shareable before the Set.
  # - In a Hash that Ruby copies, each key keeps its place in the table. A key that is hashed by its identity has
  #   another hash after the copy, so it is not found at the old place. So this class stores the pairs again.
  # - An exception that was raised refers to its stack; another one may refer to an object that cannot be copied (the
  #   connection that failed). An {ErrorRecord} takes its place.
  #
  # Everything else is as in Ruby: a shareable object is not copied, and an object that is referred to twice has one
  # copy.
  # @api private
  class FrozenCopy
    own = lambda do |owner, name|
      owner.instance_method(name).then { |method| RACTORS ? Ractor.make_shareable(method) : method }
    end
    DUP = own.call(Kernel, :dup)
    ASSIGN = own.call(Kernel, :instance_variable_set)
    ELEMENTS = own.call(Set, :to_a)
    CLEAR = own.call(Set, :clear)
    ADD = own.call(Set, :add)
    EMPTY, STORE = %i[clear store].map { |name| own.call(Hash, name) } # a user's `[]=` may store something else
    LOCATIONS = own.call(Exception, :backtrace_locations)
    DATA = defined?(::Data) && ::Data.respond_to?(:define)
    MEMBERS, INITIALIZE = %i[to_h initialize].map { |name| own.call(::Data, name) } if DATA
    # In older Rubies a Set is a Ruby object with a Hash.
    TABLE = Set.new.instance_variables.first
    private_constant :DUP, :ASSIGN, :ELEMENTS, :CLEAR, :ADD, :EMPTY, :STORE, :LOCATIONS, :DATA, :TABLE

    class << self
      # @return [Object] the object, if it is shareable, else a frozen deep copy; it stays as it is
      # @raise [StandardError] with the reason
      def of(object)
        return object if shareable?(object)
        return Ractor.make_shareable(object, copy: true) if Workers::Sharing.ordinary?(object)

        obstacle = Workers::UnshareablePart.forbidden(object)
        raise ShareableError, obstacle.to_s if obstacle

        return Ractor.make_shareable(object, copy: true) unless Workers::Sharing.odd?(object)

        Ractor.make_shareable(new.copy(object))
      end

      # Freezes an object itself, with all that it refers to. {of} would have to be able to copy it.
      # @return [Object] the object; a copy if it refers to an exception
      def seal(object)
        InsideOut.new { |inner| Ractor.make_shareable(inner) }.through(object) if Workers::Sharing.odd?(object)
        Ractor.make_shareable(object)
      rescue InsideOut::Exceptional
        of(object)
      end

      # As `Ractor.shareable?`, but false for a graph that is nested too deeply to ask the VM.
      def shareable?(object)
        return true if Workers::Sharing.deep_frozen?(object)
        return Ractor.shareable?(object) unless Reflection.object_frozen?(object) # the VM looks no further
        return false if Workers::Sharing.too_deep?(object)

        return false if Workers::Sharing.odd?(object) && !sets_shareable?(object)

        Ractor.shareable?(object)
      end

      # Whether an exception, or one of its causes, refers to the stack that it came from.
      def raised?(error)
        cause = error.cause
        !LOCATIONS.bind_call(error).nil? || (Exception === cause && raised?(cause))
      end

      # Whether an {ErrorRecord} takes the place of the exception.
      def recorded?(error)
        raised?(error) || Reflection.variables_of(error).any? { |_, value| Workers::UnshareableReason.of?(value) }
      end

      private

      def sets_shareable?(object)
        catch(tag = Object.new) do
          InsideOut.new { |inner| Ractor.shareable?(inner) || throw(tag, false) }.through(object)
          true
        end
      rescue InsideOut::Exceptional, ShareableError
        false
      end
    end

    def initialize
      @done = {}.compare_by_identity
      @open = {}.compare_by_identity # object => its number among those that are open, and its copy so far
      @barrier = 0
    end

    # @return [Object] a deep copy, which is not frozen yet
    def copy(object)
      return object if Workers::Sharing.deep_frozen?(object)
      return @done[object] if @done.key?(object)
      return met_again(object) if @open.key?(object)

      @open[object] = [@open.size, nil]
      made = make(object)
      @open.delete(object)
      @done[object] = made
    end

    private

    # Called for an object that contains itself: its copy exists and is not complete yet.
    def met_again(object)
      number, made = @open[object]
      return made if made && number >= @barrier

      raise ShareableError, "an instance of #{Reflection.class_name_of(object)} has, within itself, a Set or a key " \
                            "of a Hash that contains it; break the cycle"
    end

    # Runs the block, and makes sure that all copies that it has begun are complete.
    def complete
      before = @barrier
      @barrier = @open.size
      yield
    ensure
      @barrier = before
    end

    def make(object)
      case object
      when ::Set then fill_set(object, begun(object))
      when ::Hash then fill_hash(object, begun(object))
      when ::Array then with_variables(object, begun(object).map! { |element| copy(element) })
      when ::String then with_variables(object, begun(object))
      when ::Struct then fill_struct(object, begun(object))
      when ::Range then range(object)
      when ::Exception then error(object)
      else other(object)
      end
    end

    def other(object)
      return data(object) if DATA && ::Data === object

      Workers::Sharing.object?(object) ? with_variables(object, begun(object)) : leaf(object)
    end

    def begun(object)
      @open[object][1] = DUP.bind_call(object)
    end

    def with_variables(object, made)
      Reflection.variables_of(object).each { |name, value| ASSIGN.bind_call(made, name, copy(value)) }
      made
    end

    def fill_set(set, made)
      CLEAR.bind_call(made)
      complete do
        ELEMENTS.bind_call(set).each { |element| ADD.bind_call(made, Ractor.make_shareable(copy(element))) }
        Reflection.variables_of(set).each do |name, value|
          ASSIGN.bind_call(made, name, Ractor.make_shareable(copy(value))) unless name == TABLE
        end
      end
      Ractor.make_shareable(made)
    end

    def fill_hash(hash, made)
      EMPTY.bind_call(made)
      hash.to_a.each do |key, value| # a snapshot: other threads may change the Hash meanwhile
        key = complete { copy(key) }
        STORE.bind_call(made, key, copy(value))
      end
      hash.default_proc ? made.default_proc = leaf(hash.default_proc) : made.default = copy(hash.default)
      with_variables(hash, made)
    end

    def fill_struct(struct, made)
      struct.each_pair { |name, value| made[name] = copy(value) }
      with_variables(struct, made)
    end

    def range(range)
      return leaf(range) unless range.instance_of?(::Range)

      ::Range.new(copy(range.begin), copy(range.end), range.exclude_end?)
    end

    # Complete when it is made.
    def data(data)
      made = data.class.allocate
      Reflection.variables_of(data).each { |name, value| ASSIGN.bind_call(made, name, copy(value)) }
      INITIALIZE.bind_call(made, **MEMBERS.bind_call(data).transform_values { |value| copy(value) })
      made
    end

    def error(error)
      FrozenCopy.recorded?(error) ? ErrorRecord.of(error) : leaf(error)
    end

    # Has Ruby copy the object, or raise.
    def leaf(object)
      inside = Workers::References.of(object).map(&:last)
      if inside.any? { |child| Workers::Sharing.odd?(child) }
        kind = Reflection.class_name_of(object)
        raise ShareableError, "an instance of #{kind} refers to an object that Ruby cannot copy"
      end

      Ractor.make_shareable(object, copy: true)
    end
  end
end

require_relative "frozen_copy/inside_out"
