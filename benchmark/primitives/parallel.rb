# frozen_string_literal: true

module Primitives
  # The same work in several threads or Ractors at once.
  module Parallel
    module_function

    # Calls the block in one thread for each argument, and adds up what it returns.
    def threads(arguments, &work)
      arguments.map { |argument| Thread.new(argument, &work) }.sum(&:value)
    end

    # Calls `owner.name(*arguments)` in one Ractor for each list of arguments, and adds up what it returns.
    def ractors(owner, name, lists)
      lists.map do |list|
        Ractor.new(owner, name, list) { |object, method, arguments| object.public_send(method, *arguments) }
      end.sum(&:value)
    end
  end
end
