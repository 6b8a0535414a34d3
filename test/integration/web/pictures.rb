# frozen_string_literal: true

# Saves pictures of the live page for people to look at: bin/exec test/integration/web/pictures.rb [FOLDER]
# (build/pictures). Needs chromium.

$LOAD_PATH.unshift(File.expand_path("../..", __dir__))
require_relative "browser"
require_relative "stage"

browser = Browser.find or abort "needs chromium (Debian: apt install chromium)"
folder = File.expand_path(ARGV[0] || File.join(__dir__, "../../../build/pictures"))
stage = Stage.new
begin
  stage.play(Integer(ENV.fetch("SECONDS_OF_WORK", "20")))
  number = Ratomic::Workers::Pool::RUNNING.keys.min
  { "light" => {}, "dark" => { dark: true }, "phone" => { width: 500, height: 2400 },
    "no-javascript" => { scripts: false }, "failures" => { height: 2600 } }.each do |name, options|
    stage.open = name == "failures"
    puts browser.picture(stage.server.url, File.join(folder, "#{name}.png"), **options)
  end
  confirm = stage.server.url("/confirm?action=kill&pool=#{number}")
  puts browser.picture(confirm, File.join(folder, "confirm.png"), height: 400)
ensure
  stage.stop
end
