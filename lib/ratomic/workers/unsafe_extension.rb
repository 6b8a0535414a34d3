# frozen_string_literal: true

module Ratomic
  module Workers
    # Names the extension that Ruby refused to run in a worker, as far as the backtrace and the places of constants tell
    # it. Ruby's own message does not name it.
    # @api private
    module UnsafeExtension
      # Where gems lie, of RubyGems and of Debian.
      GEM = %r{/gems/([A-Za-z0-9_.-]+?)-\d[^/]*/}
      VENDOR = %r{/(?:vendor_ruby|site_ruby)/(?:\d+\.\d+\.\d+/)?(?:[a-z0-9_]+-linux[^/]*/)?([A-Za-z0-9_-]+)}
      # "x.rb:1:in 'MessagePack::Factory#dump'", and as Ruby 3 writes it: "x.rb:1:in `dump'"
      CALLED = /in '([A-Z]\w*)(?:::[A-Z]\w*)*[.#]/
      private_constant :GEM, :VENDOR, :CALLED

      class << self
        # @param lines [Array<String>] the first of a backtrace
        # @return [String]
        def named(lines)
          constant = lines.first.to_s[CALLED, 1]
          gem = gem_of(constant) || gem_at(lines.first.to_s)
          return "the extension of the gem #{gem}#{" (#{constant})" if constant}" if gem

          constant ? "the extension behind #{constant}" : "the extension behind it"
        end

        private

        def gem_of(constant)
          file, = constant && Object.const_source_location(constant)
          gem_at(file.to_s)
        rescue UserException # a name that Ruby does not have here
          nil
        end

        def gem_at(path)
          path[GEM, 1] || path[VENDOR, 1]
        end
      end
    end
  end
end
