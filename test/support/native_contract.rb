# frozen_string_literal: true

# What the native classes have in common: there is one of each object, and every Ractor shares it. A test class that
# includes this defines `build` (a new object), `build_of(subclass)` and `use(object)` (one change and one read of it).
module NativeContract
  def test_it_is_frozen_and_shareable_from_the_start
    object = build
    assert_predicate object, :frozen?
    assert Ractor.shareable?(object)
    assert_same object, object.freeze
    assert_same object, Ractor.make_shareable(object)
    use(object)
  end

  def test_it_cannot_be_copied
    object = build
    [-> { object.dup }, -> { object.clone }, -> { object.clone(freeze: false) }].each do |copying|
      error = assert_raises(TypeError, &copying)
      assert_equal "an instance of #{object.class} cannot be copied; use the same object everywhere", error.message
    end
    use(object)
  end

  def test_a_deep_copy_of_what_holds_it_holds_the_same_one
    object = build
    assert_same object, Ractor.make_shareable([object, +"text"], copy: true).first
  end

  def test_it_cannot_be_marshalled
    object = build
    assert_raises(TypeError) { Marshal.dump(object) }
    use(object)
  end

  def test_an_object_that_was_never_initialized_refuses_every_method
    methods = build.class.public_instance_methods(false) - %i[initialize_copy]
    refute_empty methods
    methods.each do |name|
      blank = build.class.allocate
      arguments = [1] * least_arguments(blank, name)
      assert_raises(TypeError, name.to_s) { blank.public_send(name, *arguments) { 1 } }
    end
  end

  def test_a_collection_may_meet_an_object_that_was_never_initialized
    blanks = Array.new(100) { build.class.allocate }
    GC.start
    assert_equal 100, blanks.uniq(&:object_id).size
  end

  # The number is kept beside the object, and has to be shareable with it.
  def test_an_object_that_had_an_object_id_before_is_shareable
    object = build.class.allocate.tap(&:object_id)
    object.send(:initialize, *arguments)
    GC.verify_internal_consistency
    assert Ractor.shareable?(object)
  end

  def test_initializing_twice_is_refused_and_changes_nothing
    object = build
    seen = use(object)
    assert_raises(FrozenError) { object.send(:initialize, *arguments) }
    refute_nil seen
    use(object)
  end

  def test_a_subclass_works_and_is_shareable_too
    object = build_of(Class.new(build.class))
    assert_kind_of build.class, object
    assert Ractor.shareable?(object)
    use(object)
  end

  def test_a_subclass_may_set_its_variables_before_super_and_they_are_frozen
    notes = []
    subclass = Class.new(build.class) do
      define_method(:initialize) do |*arguments|
        @notes = notes
        super(*arguments)
      end
      attr_reader :notes
    end
    object = build_of(subclass)
    assert_predicate object.notes, :frozen?
    assert Ractor.shareable?(object)
    use(object)
  end

  def test_a_subclass_that_sets_variables_after_super_is_told_that_it_is_frozen
    subclass = Class.new(build.class) do
      def initialize(*)
        super
        @late = 1
      end
    end
    assert_raises(FrozenError) { build_of(subclass) }
  end

  def test_a_subclass_that_forgets_super_gets_an_error_at_the_first_use
    subclass = Class.new(build.class) { def initialize(*); end }
    assert_raises(TypeError) { use(build_of(subclass)) }
  end

  def test_a_singleton_method_and_a_variable_are_refused
    object = build
    assert_raises(FrozenError) { def object.extra = 1 }
    assert_raises(FrozenError) { object.instance_variable_set(:@extra, 1) }
  end

  def test_it_can_be_a_constant_that_many_ractors_read
    skip_without_ractors
    holder = Module.new
    self.class.const_set(:"Shared#{name.hash.abs}", holder)
    holder.const_set(:OBJECT, build)
    path = "#{holder.name}::OBJECT"
    ids = Array.new(4) { Ractor.new(path) { |constant| Object.const_get(constant).object_id } }.map(&:value)
    assert_equal [holder::OBJECT.object_id], ids.uniq
    use(holder::OBJECT)
  end

  def test_inspect_is_short_and_names_the_class
    assert_match(/\A#<#{build.class} [^>]*>\z/, build.inspect)
  end

  private

  def arguments
    []
  end

  # How many arguments a native method needs that takes optional ones is not to be seen from outside.
  def least_arguments(object, name)
    arity = object.method(name).arity
    return arity unless arity.negative?
    return -arity - 1 if arity < -1

    map = object.is_a?(Ratomic::Map)
    return 3 if name == :compare_and_set
    return 2 if %i[set []= store put upsert append add_to_set].include?(name)

    needy = %i[fetch fetch_values values_at slice push enq pop_many]
    needy += %i[increment decrement delete compute fetch_or_store compute_if_absent fetch_and_modify] if map
    needy.include?(name) ? 1 : 0
  end
end
