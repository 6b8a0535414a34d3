# frozen_string_literal: true

require "test_helper"
require "fileutils"
require "tmpdir"
require "support/rust_modules"

# The rule about Rust modules in CONTRIBUTING ("Where things are").
class RustModulesTest < Minitest::Test
  SOURCES = File.expand_path("../ext", __dir__)

  def test_no_modules_of_the_core_use_each_other_in_a_circle
    modules = RustModules.new(File.join(SOURCES, "ratomic-core/src"))
    assert_operator modules.count, :>=, 20
    assert_empty modules.circles
  end

  def test_no_modules_of_the_extension_use_each_other_in_a_circle_but_for_the_methods_of_a_class
    modules = RustModules.new(File.join(SOURCES, "ratomic/src")) { |user, used| user[0...-1] == used }
    assert_operator modules.count, :>=, 20
    assert_empty modules.circles
  end

  def test_a_circle_is_found
    Dir.mktmpdir do |root|
      { "lib.rs" => "mod a; mod b; mod c;", "b/d.rs" => "use crate::{c::{self, C}, e};",
        "a.rs" => "use super::b::d;",
        "b.rs" => "mod d; pub use d::D;", "c.rs" => "fn c() { crate::a::a() } // crate::e",
        "e.rs" => "#[cfg(test)]\nmod tests { use crate::a; }" }.each do |file, source|
        FileUtils.mkdir_p(File.dirname(File.join(root, file)))
        File.write(File.join(root, file), source)
      end
      assert_equal [%w[a b::d c]], RustModules.new(root).circles
    end
  end
end
