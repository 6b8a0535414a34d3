# frozen_string_literal: true

require "fileutils"
require "open3"
require "tmpdir"

# Debian's chromium, without a window.
class Browser
  NAMES = %w[chromium chromium-browser google-chrome].freeze

  # @return [Browser, nil]
  def self.find
    path = ENV["PATH"].split(File::PATH_SEPARATOR).product(NAMES).map { |parts| File.join(*parts) }
                      .find { |candidate| File.executable?(candidate) }
    path && new(path)
  end

  def initialize(path)
    @path = path
  end

  # Saves a picture of the page.
  # @param dark [Boolean] as a reader who prefers that
  # @param scripts [Boolean] whether the page's JavaScript runs
  def picture(url, file, width: 1200, height: 1400, dark: false, scripts: true)
    FileUtils.mkdir_p(File.dirname(file))
    run(url, "--screenshot=#{file}", "--window-size=#{width},#{height}", dark: dark, scripts: scripts)
    raise "chromium made no picture" unless File.size?(file)

    file
  end

  # @return [String] the page as it is after so many seconds
  def document(url, seconds: 1, scripts: true)
    run(url, "--dump-dom", "--virtual-time-budget=#{(seconds * 1000).to_i}", scripts: scripts)
  end

  private

  def run(url, *arguments, dark: false, scripts: true)
    settings = "preferredColorScheme=#{dark ? 0 : 1}"
    Dir.mktmpdir("ratomic-browser") do |profile|
      forbid_scripts(profile) unless scripts
      out, err, status = Open3.capture3(
        "timeout", "60", @path, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
        "--no-first-run", "--hide-scrollbars", "--user-data-dir=#{profile}", "--blink-settings=#{settings}",
        *arguments, url
      )
      raise "chromium: #{status}\n#{err}" unless status.success?

      out
    end
  end

  # As a reader does in the settings.
  def forbid_scripts(profile)
    FileUtils.mkdir_p(File.join(profile, "Default"))
    File.write(File.join(profile, "Default", "Preferences"),
               '{"profile":{"default_content_setting_values":{"javascript":2}}}')
  end
end
