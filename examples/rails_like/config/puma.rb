# frozen_string_literal: true

# The environment says where to listen (PORT), how many processes there are (PROCESSES), whether they are forked from
# one that has the application (PRELOAD), and where they write how many requests they had (LEDGER).

bind "tcp://127.0.0.1:#{ENV.fetch("PORT")}"
workers Integer(ENV.fetch("PROCESSES", "2"))
threads 2, 4
rackup File.expand_path("../config.ru", __dir__)
raise_exception_on_sigterm false # status 0 after TERM
preload_app! ENV.fetch("PRELOAD", "no") == "yes"

on_worker_shutdown do
  File.open(ENV.fetch("LEDGER"), "a") { |file| file.write("#{Process.pid} #{Site::REQUESTS.value}\n") }
end
