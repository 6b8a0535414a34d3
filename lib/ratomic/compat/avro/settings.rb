# frozen_string_literal: true

module Ratomic
  module Compat
    module Avro
      # Makes the settings of the library readable in Ractors other than the main one. The library caches what it reads
      # from the environment in instance variables of a module, which other Ractors may not set. Settings that the
      # program made before are kept.
      module Settings
        %w[enum_symbol field_default schema_name].each do |what|
          setting = "disable_#{what}_validation"
          variable = "AVRO_#{setting.upcase}"
          class_eval <<~RUBY, __FILE__, __LINE__ + 1
            def #{setting}                                         # def disable_enum_symbol_validation
              return super if Ractor.main?                         #   return super if Ractor.main?
                                                                   #
              @#{setting} || ENV.fetch("#{variable}", "") != ""    #   @disable_enum_symbol_validation || ENV.fetch(...
            end                                                    # end
          RUBY
        end
      end
    end
  end
end
