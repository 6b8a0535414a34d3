# frozen_string_literal: true

module Ratomic
  module Compat
    module Avro
      # The settings of the library as other Ractors than the main one may read them: it stores what it has found in the
      # environment, and they may not store anything in a module. What the program has set counts as before.
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
