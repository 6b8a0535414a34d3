# frozen_string_literal: true

require "test_helper"

# Which extension a worker was refused.
class UnsafeExtensionTest < Minitest::Test
  def named(*lines)
    Ratomic::Workers::UnsafeExtension.named(lines)
  end

  def test_the_gem_is_known_by_where_its_code_lies
    assert_equal "the extension of the gem sqlite3", named("/var/lib/gems/4.0.0/gems/sqlite3-2.1.0/lib/a.rb:7:in 'x'")
    assert_equal "the extension of the gem http-parser.rb",
                 named("/home/a/.gem/ruby/4.0.0/gems/http-parser.rb-1.0.5-x86_64-linux/lib/a.rb:7:in 'block in x'")
    assert_equal "the extension of the gem nokogiri (Nokogiri_)",
                 named("/usr/lib/ruby/vendor_ruby/nokogiri/html.rb:7:in 'Nokogiri_::HTML.parse'")
    assert_equal "the extension of the gem bcrypt",
                 named("/usr/lib/x86_64-linux-gnu/ruby/vendor_ruby/3.1.0/bcrypt.rb:7:in `x'")
  end

  def test_the_gem_is_known_by_where_its_constant_was_made
    Dir.mktmpdir do |root|
      folder = File.join(root, "gems/refused-1.2.3/lib")
      FileUtils.mkdir_p(folder)
      File.write(File.join(folder, "refused.rb"), "module RefusedGem; end")
      load File.join(folder, "refused.rb")
      assert_equal "the extension of the gem refused (RefusedGem)", named("/app/a.rb:1:in 'RefusedGem::Packer#pack'")
    end
  ensure
    Object.send(:remove_const, :RefusedGem) if defined?(::RefusedGem)
  end

  def test_without_a_gem_the_constant_is_named_if_there_is_one
    assert_equal "the extension behind Nowhere", named("/app/a.rb:1:in 'Nowhere::Packer.pack'")
    assert_equal "the extension behind it", named("/app/a.rb:1:in 'pack'")
    assert_equal "the extension behind it", named
  end
end
