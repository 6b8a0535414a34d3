# frozen_string_literal: true

require "tsort"

# Which module of a Rust crate uses which, read from its files. `pub use` counts as part of the module that it names.
class RustModules
  include TSort

  # @param root [String] the crate's `src`
  # @param but_for [Proc] whether a use by one module (the first argument) of another does not count
  def initialize(root, &but_for)
    @files = Dir[File.join(root, "**/*.rs")].to_h { |path| [name(path.delete_prefix("#{root}/")), path] }
    @files.reject! { |name, _| (name & %w[tests test]).any? }
    @uses = @files.to_h do |name, path|
      used = paths(File.read(path, encoding: "UTF-8")).filter_map { |steps| target(name, steps) }.uniq - [name]
      [name, used.reject { |other| but_for&.call(name, other) }]
    end
  end

  # @return [Array<Array<String>>] modules that use each other in a circle
  def circles
    strongly_connected_components.select { |circle| circle.size > 1 }
                                 .map { |circle| circle.map { |name| name.join("::") }.sort }
  end

  # @return [Integer]
  def count
    @uses.values.sum(&:size)
  end

  private

  def tsort_each_node(&block)
    @uses.each_key(&block)
  end

  def tsort_each_child(name, &block)
    @uses.fetch(name).each(&block)
  end

  def name(file)
    file.delete_suffix(".rs").delete_suffix("/mod").split("/") - ["lib"]
  end

  # @return [Array<Array<String>>] paths in the code, without its tests
  def paths(source)
    code = source.sub(/^#\[cfg\((?:all\()?test\b.*\z/m, "").gsub(%r{//.*$}, "")
                 .gsub(/^\s*pub(?:\(\w+\))? use [^;]*;/, "")
    imported = code.scan(/\buse\s+([^;]+);/).flat_map { |use,| spread(use.gsub(/\s+/, "")) }
    (imported + code.scan(/\b\w+(?:::\w+)+/)).map { |path| path.split("::") }
  end

  # @return [Array<String>] `a::{b, c::{d, e}}` as `a::b`, `a::c::d` and `a::c::e`
  def spread(use)
    return [use] unless (inner = use[/\{(?:[^{}])*\}/])

    inner[1..-2].split(",").flat_map { |one| spread(use.sub(inner, one)) }
  end

  # @return [Array<String>, nil] the module that a path leads to
  def target(name, path)
    path = path.dup
    from = name
    case path.first
    when "crate" then from = []
    when "super" then from = name[0...-path.take_while { |step| step == "super" }.size]
    else return unless path.first == "self" || @files.key?(name + [path.first])
    end
    path = path.drop_while { |step| %w[crate super self].include?(step) }
    path.each { |step| @files.key?(from + [step]) ? from += [step] : break }
    from
  end
end
