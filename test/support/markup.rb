# frozen_string_literal: true

require "strscan"

# Checks that a text is well-formed markup: every element is closed where it was opened, attributes are quoted and come
# once, `<` and `&` appear only as markup and known references. Stricter than HTML has to be, and all that XML asks of
# the documents here; so one check serves both, and needs no library.
class Markup
  class Error < StandardError; end

  HTML = /<!DOCTYPE html>\s*/
  XML = /<\?xml version="1\.0" encoding="UTF-8"\?>\s*/
  VOID = %w[area base br col embed hr img input link meta source track wbr].freeze
  NAME = /[A-Za-z_:][-\w:.]*/
  START_TAG = /<(#{NAME})/
  END_TAG = %r{</(#{NAME})>}
  ATTRIBUTE = /\s+(#{NAME})="([^"<]*)"/
  REFERENCE = /&(?:amp|lt|gt|quot|apos|#\d+|#x\h+);/

  # @return [Hash{String => Integer}] how often each element is there
  # @raise [Markup::Error] with the line of the first mistake
  def self.check(text, html:)
    new(text, html).check
  end

  def initialize(text, html)
    @scanner = StringScanner.new(text)
    @html = html
    @open = []
    @elements = Hash.new(0)
  end

  def check
    refuse("invalid UTF-8") unless @scanner.string.valid_encoding?
    @scanner.skip(@html ? HTML : XML) || refuse("no prologue")
    node until @scanner.eos?
    refuse("<#{@open.last}> is never closed") unless @open.empty?
    @elements
  end

  private

  def node
    return if @scanner.skip(/<!--.*?-->/m)
    return end_tag(@scanner[1]) if @scanner.scan(END_TAG)
    return start_tag(@scanner[1]) if @scanner.scan(START_TAG)
    return text(@scanner.matched) if @scanner.scan(/[^<]+/)

    refuse("a bare <")
  end

  def start_tag(name)
    refuse("a second root, <#{name}>") if @open.empty? && !@elements.empty?
    @elements[name] += 1
    attributes(name)
    return if @scanner.skip(%r{/>})

    @scanner.skip(/>/) || refuse("<#{name}> does not end")
    return if @html && VOID.include?(name)

    @open << name
    raw(name) if @html && %w[style script].include?(name)
  end

  def raw(name)
    @scanner.skip_until(%r{(?=</#{name}>)}) || refuse("<#{name}> is never closed")
  end

  def attributes(element)
    seen = []
    while @scanner.scan(ATTRIBUTE)
      name = @scanner[1]
      value = @scanner[2]
      refuse("#{name} comes twice in <#{element}>") if seen.include?(name)
      seen << name
      text(value)
    end
    @scanner.skip(/\s+/)
  end

  def end_tag(name)
    refuse("</#{name}> where <#{@open.last}> is open") unless @open.last == name
    @open.pop
  end

  def text(content)
    refuse("text outside the root") if @open.empty? && @elements.empty? && content.match?(/\S/)
    refuse("a bare & in #{content[0, 60].inspect}") if content.gsub(REFERENCE, "").include?("&")
  end

  def refuse(reason)
    raise Error, "line #{@scanner.string.byteslice(0, @scanner.pos).count("\n") + 1}: #{reason}"
  end
end
