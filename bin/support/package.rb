# frozen_string_literal: true

# Makes the gems, for bin/package: package.rb FOLDER RELEASE=EXTENSION ... A platform gem holds the library, and the
# extension of each release in a folder of its name (lib/ratomic/4.0/ratomic.so), see lib/ratomic/native.rb.

require "rubygems/package"
require "fileutils"
require "tmpdir"

folder, *built = ARGV
root = File.expand_path("../..", __dir__)
extensions = built.to_h { |pair| pair.split("=", 2) }
Gem::DefaultUserInteraction.ui = Gem::SilentUI.new

# Which libc it is linked with is a part of the platform. RubyGems before 3.3.22, as Debian's Ruby 3.1 has it, does not
# know that part: those get the same gem under the name that they look for.
platform = Gem::Platform.local.to_s
platforms = { platform => ">= 3.3.11" }
platforms["#{platform}-gnu"] = ">= 3.3.22" if platform.end_with?("linux") && RbConfig::CONFIG["host_os"] !~ /musl/

# Into the folder in which the gems are made.
def copy(from, to)
  FileUtils.mkdir_p(File.dirname(to))
  FileUtils.cp(from, to, preserve: true)
end

def for_platform(spec, name, rubygems)
  spec = spec.dup
  spec.platform = name
  spec.required_rubygems_version = rubygems
  spec
end

Dir.mktmpdir("ratomic-package") do |stage|
  source = Dir.chdir(root) { Gem::Specification.load("ratomic.gemspec") }
  source.files.each { |file| copy(File.join(root, file), File.join(stage, file)) }
  releases = extensions.keys.sort_by { |release| Gem::Version.new(release) }
  native = source.dup
  native.extensions = []
  native.required_ruby_version = [">= #{releases[0]}", "< #{Gem::Version.new("#{releases[-1]}.0").bump}.dev"]
  native.files = source.files.reject { |file| file.start_with?("ext/", "Cargo.") }
  extensions.each do |release, extension|
    place = File.join("lib/ratomic", release, File.basename(extension))
    copy(extension, File.join(stage, place))
    system("strip", "--strip-debug", File.join(stage, place), err: File::NULL) # where there is one
    native.files += [place]
  end
  Dir.chdir(stage) do
    compiled = platforms.map { |name, rubygems| for_platform(native, name, rubygems) }
    [source, *compiled].each do |spec|
      file = Gem::Package.build(spec)
      FileUtils.mv(file, folder)
      puts File.join(folder, file)
    end
  end
end
