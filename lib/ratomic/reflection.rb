# frozen_string_literal: true

module Ratomic
  # Ruby's own answers about an object that may have methods of those names itself (a request has a `method`), or none
  # (a BasicObject, an object that was moved away).
  # @api private
  module Reflection
    own = lambda do |name, owner = Kernel|
      owner.instance_method(name).then { |method| RACTORS ? Ractor.make_shareable(method) : method }
    end
    CLASS = own.call(:class)
    ID = own.call(:object_id)
    NAME = own.call(:to_s, Module)
    MESSAGE = own.call(:to_s, Exception)
    FROZEN = own.call(:frozen?)
    METHOD = own.call(:method)
    RESPONDS = own.call(:respond_to?)
    VARIABLES = own.call(:instance_variables)
    VARIABLE = own.call(:instance_variable_get)
    SET_VARIABLE = own.call(:instance_variable_set)
    private_constant :SET_VARIABLE, :RESPONDS, :ID, :CLASS, :NAME, :MESSAGE, :FROZEN, :METHOD, :VARIABLES, :VARIABLE

    # @return [Class]
    def self.class_of(object)
      CLASS.bind_call(object)
    end

    # @return [Integer] its `object_id`
    def self.id_of(object)
      ID.bind_call(object)
    end

    # @param of [Module]
    # @return [String]
    def self.name_of(of)
      NAME.bind_call(of)
    end

    # @return [String] name of its class
    def self.class_name_of(object)
      name_of(class_of(object))
    end

    # @param error [Exception]
    # @return [String] the text that it was made with
    def self.message_of(error)
      MESSAGE.bind_call(error)
    end

    # @return [Boolean]
    def self.object_frozen?(object)
      FROZEN.bind_call(object)
    end

    # Whether it has the method, or stands in for an object that has it (a Delegator, which is no Object).
    # @return [Boolean]
    def self.responds?(object, name)
      Object === object ? object.respond_to?(name) : RESPONDS.bind_call(object, name)
    rescue StandardError => e # a MovedObject raises
      raise e unless unanswered?(object, name)

      false
    end

    # Asks again. An error that another thread has raised in this one (`Thread#raise`) does not come a second time.
    def self.unanswered?(object, name)
      Object === object ? object.respond_to?(name) : RESPONDS.bind_call(object, name)
      false
    rescue StandardError
      true
    end
    private_class_method :unanswered?

    # @return [Method]
    # @raise [NameError]
    def self.method_of(object, name)
      METHOD.bind_call(object, name)
    end

    # @return [Object, nil] an instance variable
    def self.variable_of(object, name)
      VARIABLE.bind_call(object, name)
    end

    # @raise [FrozenError]
    def self.set_variable(object, name, value)
      SET_VARIABLE.bind_call(object, name, value)
    end

    # @return [Array<Array(Symbol, Object)>] the instance variables
    def self.variables_of(object)
      VARIABLES.bind_call(object).map { |name| [name, VARIABLE.bind_call(object, name)] }
    end
  end
end
