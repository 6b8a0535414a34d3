# frozen_string_literal: true

# Libraries of others that an example or a test needs: those that this Ruby has, or those of the distribution, which are
# pure Ruby.
module Libraries
  # The last is the library of the distribution's own Ruby: newer ones have made gems of parts of it.
  FOLDERS = ["/usr/share/rubygems-integration/all/gems/*/lib{,/concurrent-ruby}", "/usr/lib/ruby/vendor_ruby",
             "/usr/lib/ruby/3.*/"].freeze

  # @param name [String] what is required
  # @return [Boolean] whether it is loaded now
  def self.load(name)
    path = $LOAD_PATH.dup
    folders = FOLDERS.dup
    begin
      require name
      true
    rescue LoadError, StandardError
      folder = folders.shift
      $LOAD_PATH.concat(Dir[folder] - $LOAD_PATH) && retry if folder # after what this Ruby has of its own
      $LOAD_PATH.replace(path)
      false
    end
  end
end
