# frozen_string_literal: true

# Which module of a Rust crate uses which, read from its files. `pub use` counts as part of the module that it names.
class RustModules
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
    reached = @uses.keys.to_h { |name| [name, reached_from(name)] }
    in_circles = reached.keys.select { |name| reached[name].include?(name) }
    in_circles.map { |name| reached[name].select { |other| reached[other].include?(name) } }
              .map { |circle| circle.map { |name| name.join("::") }.sort }.uniq
  end

  # @return [Integer]
  def count
    @uses.values.sum(&:size)
  end

  private

  # @return [Array<Array<String>>] the modules that a module uses, also through others
  def reached_from(name)
    reached = []
    ahead = @uses.fetch(name).dup
    while (other = ahead.pop)
      next if reached.include?(other)

      reached << other
      ahead.concat(@uses.fetch(other))
    end
    reached
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
