# frozen_string_literal: true

module Ratomic
  # A pool of workers that run Ruby in parallel, and the one line that a library calls:
  #
  #   future  = Ratomic::Workers.dispatch_async(payloads, ParseEvent)
  #   results = future.value(timeout: 5)
  #
  # The results are frozen and come in the order of the payloads. In the place of one that raised is a {Failure}.
  #
  # The methods of this module use the default pool, made at its first use.
  module Workers
  end
end

# From what stands alone to what is made of it.
%w[leaving gate foreign text own_thread failure progress locals mailbox options settings verdict obstacle children
   code callable transfer weight notebook averages trials costs chunker batch chunk event subscribers metrics lane
   filing endings engine unattended agenda parcels pulse context salvage presence experience runner worker roster
   overseer coordinator turn backend nested own_exit by_caller future settled dispatch stats prometheus explanation
   flow stream pool fork_hook default_pool parse_json render_erb].each do |name|
  require_relative "workers/#{name}"
end
