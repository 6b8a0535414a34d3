# frozen_string_literal: true

# What the parts of the backend of worker processes ask of a pool and of a dispatch, without either.
module WorkerProcess
  Workers = Ratomic::Workers
  Processes = Workers::Processes
  Options = Struct.new(:context)
  # What a request asks of a batch.
  Batch = Struct.new(:options, :moved, :owned) do
    alias_method :moved?, :moved
    alias_method :owned?, :owned
  end
  # What a process is told of its pool.
  Engine = Struct.new(:settings, :hooks, :metrics)
  Settings = Struct.new(:recycle_after)
  # Counts, and keeps what went wrong.
  Metrics = Struct.new(:respawns, :runners_replaced, :troubles) do
    def trouble(error, _place = nil)
      troubles << error
    end
  end

  # A hook that leaves its worker and its process in a file.
  class Note
    def initialize(path)
      @path = path.dup.freeze
      Ractor.make_shareable(self)
    end

    def call(worker)
      File.write(@path, "#{worker} #{Process.pid}")
    end
  end

  def setup
    skip_without_fork
    super
  end

  def hooks(start = nil, stop = nil)
    Workers.const_get(:Hooks).new(start, stop)
  end

  def metrics
    @metrics ||= Metrics.new(Ratomic::Counter.new, Ratomic::Counter.new, [])
  end

  def engine(recycle_after = {}, **given)
    Engine.new(Settings.new(recycle_after), given[:hooks] || hooks, metrics)
  end

  def request(callable, items, kind: Processes::Request::EACH, context: nil, owned: false, first: 0)
    Processes::Request.new(kind, callable, Batch.new(Options.new(context), false, owned), items, first, nil)
  end

  def gone?(pid)
    Process.kill(0, pid) && false
  rescue Errno::ESRCH
    true
  end
end
