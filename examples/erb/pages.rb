# frozen_string_literal: true

require "ratomic"

# ERB in parallel: five templates of real weight, compiled once per worker, frozen Hashes in, frozen Strings out.
#
#   pages  = Pages::Generator.new(seed: 7).pages(100)            # deeply frozen Hashes, all different
#   future = Ratomic::Workers.dispatch_async(pages, Pages::RenderPage)
#   future.value                                                 # frozen Strings: HTML, and XML for the catalog
#
# A template sees its data as `page`, escapes text with `h`, and may call the methods of {Pages::Helpers}.
module Pages
end

require_relative "helpers"
require_relative "generator"
require_relative "render_page"
require_relative "folder"
