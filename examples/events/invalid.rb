# frozen_string_literal: true

module Events
  # A document that is no event: not JSON, or JSON that breaks a rule. The message names the event and the rule.
  class Invalid < StandardError
  end
end
