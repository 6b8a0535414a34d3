# frozen_string_literal: true

# Whether Ruby calls `initialize_copy` when it makes a frozen copy of an object. Ruby 4.1 copies plain ones by itself.
module Copying
  called = []
  Class.new { define_method(:initialize_copy) { |_other| called << true } }
       .new.then { |object| Ractor.make_shareable(object, copy: true) }
  INITIALIZED = called.any?

  def skip_unless_copies_are_initialized
    skip "this Ruby copies objects without their initialize_copy" unless INITIALIZED
  end
end
