# frozen_string_literal: true

# Libraries of others that some tests need: those that this Ruby has, or those of the distribution, which are pure Ruby.
# A test skips, and says so, where there is none.
module Libraries
  FOLDERS = ["/usr/share/rubygems-integration/all/gems/*/lib", "/usr/lib/ruby/vendor_ruby"].freeze

  # @param name [String] what is required
  # @param package [String] that brings it
  def need(name, package)
    Libraries.load(name) || skip("needs #{name} (Debian: apt install #{package})")
  end

  # @return [Boolean]
  def self.load(name)
    require name
    true
  rescue LoadError
    paths = Dir[*FOLDERS].select { |path| Dir.exist?(path) } - $LOAD_PATH
    $LOAD_PATH.concat(paths) # after what this Ruby has of its own
    begin
      require name
      true
    rescue LoadError, StandardError
      $LOAD_PATH.replace($LOAD_PATH - paths)
      false
    end
  end
end
