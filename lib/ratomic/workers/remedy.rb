# frozen_string_literal: true

module Ratomic
  module Workers
    # Advice for the messages of {Failure}s and of `explain`: what to do instead of something that Ruby does not allow
    # in a Ractor. It never advises to freeze an object that the program has to change: an IO, a logger, a lock, a
    # random number generator, a class.
    module Remedy
      PASS = "read it before the dispatch, and pass it on as `context:` or with the items"
      FREEZE = "freeze it where it is made, if nothing changes it later (Ractor.make_shareable; Strings: `# " \
               "frozen_string_literal: true`), or share a Ratomic::Map, Queue or Counter"
      THREADS = "run it with backend: :thread"
      # Where the one who dispatches cannot change the code.
      LIBRARY = "in the code of a gem: #{THREADS}".freeze
      CALLS = {
        json_load: "use JSON.parse", json_dump: "use JSON.generate",
        unicode_normalize: "normalize the text before the dispatch",
        singleton: "pass what is needed of the instance on as `context:`, frozen, or make it in a module; #{LIBRARY}",
        option_parser: "parse the options before the dispatch, and pass them on as `context:`",
        weak_ref: "use ObjectSpace::WeakMap, or an ordinary reference while the item runs",
        gem_version: "compare the versions before the dispatch, or as Arrays of numbers",
        erb_result: "use `result(binding)`, or Ratomic::Workers::RenderERB",
        erb_hash: "use `result(binding)`, or Ratomic::Workers::RenderERB",
        ripper: "use Prism, or backend: :thread", fork: "use Process.spawn, or fork in the main Ractor",
        etc: PASS, at_exit: "register it before the dispatch"
      }.freeze
      CALLS.each_value(&:freeze)
      STREAMS = { STDIN: "$stdin", STDOUT: "$stdout", STDERR: "$stderr" }.freeze

      # Ruby's messages, and the advice for each. The first that matches is taken. A method stands for the variable
      # that it reads (see of_isolation).
      MESSAGES = {
        /@(?:unsafe_)?load_default_options from JSON|'JSON\.\w*load/ => CALLS[:json_load],
        /@dump_default_options from JSON|'JSON\.\w*dump/ => CALLS[:json_dump],
        /constant UnicodeNormalize::/ => CALLS[:unicode_normalize],
        /@singleton__mutex__|@singleton__instance__|'Singleton::SingletonClassMethods#instance'/ => CALLS[:singleton],
        /constant OptionParser::/ => CALLS[:option_parser],
        /@@__map\b.*WeakRef/ => CALLS[:weak_ref],
        /@@all\b.*Gem::Version/ => CALLS[:gem_version],
        /constant (?:Object::)?TOPLEVEL_BINDING/ => CALLS[:erb_result],
        /can not fork/ => CALLS[:fork],
        /constant (?:Object::)?STDIN\b/ => "use $stdin, of which each Ractor has its own",
        /constant (?:Object::)?STDOUT\b/ => "use $stdout, of which each Ractor has its own",
        /constant (?:Object::)?STDERR\b/ => "use $stderr, of which each Ractor has its own",
        /constant (?:Object::)?(?:ARGV|ARGF|DATA)\b|global variable|from Gem\)/ => PASS,
        /class variables?/ => "#{THREADS}, or use a constant that is frozen all the way, or a Ratomic::Map in a " \
                              "constant",
        /instance variables of classes/ => "keep it in a constant that is frozen all the way, or pass it on as " \
                                           "`context:`; #{LIBRARY}",
        /non-shareable objects in constant/ => "#{THREADS}; or, if it is plain data, #{FREEZE}; else make one " \
                                               "inside `call`, or use a Ratomic::LocalPool",
        /at_exit/ => CALLS[:at_exit],
        /modify|define|\bset\b/ => "make the class or module, or set the constant, in the worker that uses it"
      }.each_value(&:freeze).freeze
      # A method that was made with `define_method`.
      UNSHAREABLE = "un-shareable Proc"
      UNSHAREABLE_PROC = "#{THREADS}, or define the method with `def`, or of a proc that Ractor.shareable_proc has " \
                         "made".freeze
      # remedy => its row in the tables of what runs in a worker
      ROWS = CALLS.to_h { |question, remedy| [remedy, question.to_s.tr("_", "-").freeze] }.merge(
        PASS => "argv", CALLS[:erb_result] => "erb-result", FREEZE => "constant",
        **MESSAGES.values.grep(/use \$std/).to_h { |remedy| [remedy, "stdout-constant"] },
        MESSAGES.fetch(/class variables?/) => "class-variable",
        MESSAGES.fetch(/instance variables of classes/) => "class-instance",
        MESSAGES.fetch(/non-shareable objects in constant/) => "constant",
        MESSAGES.fetch(/modify|define|\bset\b/) => "define"
      ).freeze
      TABLE = "docs/what_runs/#{HEAP_PER_RACTOR ? "4.1" : "4.0"}.md".freeze
      # Advice for a callable that sets a variable in `call`: it is frozen, with all that it refers to.
      KEEP = "set it in `initialize`, if it is the same for all items; keep it per worker, if it changes or cannot " \
             "be shared (a parser, a client, a cache: Ratomic::Workers.per_worker); or keep it in a Ratomic::Map in " \
             "a constant, if all workers are to share what one has found"
      FROZEN = "the callable is frozen; #{KEEP}".freeze
      CHANGE_COPY = "items, and what a callable refers to, are frozen: change a copy (`dup`); what is kept from item " \
                    "to item belongs to the worker (Ratomic::Workers.per_worker) or in a Ratomic::Map"
      DATA = %w[String Array Hash Set Struct Range Regexp].freeze
      private_constant :MESSAGES, :KEEP, :CHANGE_COPY, :DATA

      class << self
        # @param exception_class [String]
        # @param message [String]
        # @param backtrace [Array<String>]
        # @return [String, nil] nil where none is known
        def of(exception_class, message, backtrace)
          case exception_class
          when "Ractor::IsolationError" then of_isolation(message, backtrace.first)
          when "FrozenError" then of_frozen(message)
          when "Ractor::UnsafeError" then of_unsafe(backtrace.first(3))
          when "RuntimeError" then message.include?(UNSHAREABLE) ? UNSHAREABLE_PROC : nil
          when "NameError" then of_missing_constant(message)
          when "LoadError" then of_missing_file(message)
          end
        end

        # Whether an item has failed because it ran in a Ractor, so that it would not fail in a thread of the main
        # Ractor.
        # @param result [Object]
        def of_ractor?(result)
          return false unless Failure === result

          case result.exception_class
          when "Ractor::IsolationError", "Ractor::UnsafeError" then true
          when "RuntimeError" then result.message.include?(UNSHAREABLE) || of_ractor?(result.cause)
          else of_ractor?(result.cause)
          end
        end

        # The place in the documents with more details.
        # @param remedy [String, nil]
        # @return [String, nil] such as "docs/what_runs/4.0.md#json-load"
        def row(remedy)
          (id = ROWS[remedy]) && "#{TABLE}##{id}"
        end

        # @param remedy [String]
        # @return [String] with its row, where there is one
        def with_row(remedy)
          [remedy, *row(remedy)].join("; see ")
        end

        # @param names [Array<Symbol>] of variables that a callable sets when it is called, so that it cannot be frozen
        # @return [String]
        def of_state(names)
          "It sets #{names.join(", ")} when it is called: #{KEEP}"
        end

        # @param value [Object] that a constant holds, and that is not shareable
        # @return [String]
        def of_constant(value)
          stream = stream_of(value)
          return "use #{stream}, of which each Ractor has its own" if stream
          return PASS if of_the_process?(value)

          plain?(value) ? FREEZE : "make one inside `call`, or keep it in a Ratomic::LocalPool, one per worker"
        end

        # Whether it is data that can be frozen without harm, and not an object that has to change to work.
        def plain?(value, seen = {}.compare_by_identity)
          return true if seen[value] || FrozenCopy.shareable?(value)

          seen[value] = true
          data?(value) && References.of(value).all? { |_, child| plain?(child, seen) }
        rescue UserException
          false
        end

        # Whether it belongs to the whole process (the load path, ARGV), so that it must not be frozen.
        def of_the_process?(value)
          [$LOAD_PATH, $LOADED_FEATURES, ARGV, ARGF].any? { |own| own.equal?(value) }
        rescue Ractor::IsolationError # a worker cannot refer to them
          false
        end

        private

        # The global variable for a standard stream that a constant holds.
        def stream_of(value)
          STREAMS.find { |name, _| Object.const_get(name).equal?(value) }&.last
        rescue Ractor::IsolationError
          nil
        end

        def of_frozen(message)
          return unless (kind = message[/\Acan't modify frozen ([^\s:]+(?:::[^\s:]+)*)/, 1])

          DATA.include?(kind) ? CHANGE_COPY : KEEP
        end

        # Where YJIT has compiled the code, the message does not name the instance variable of a class that was read.
        def of_isolation(message, line)
          message = "#{message} in #{line}" if message.end_with?("classes/modules from non-main Ractors")
          _, remedy = MESSAGES.find { |pattern, _| pattern.match?(message) }
          remedy
        end

        def of_unsafe(lines)
          case lines.join("\n")
          when /\bRipper/ then CALLS[:ripper]
          when /\bEtc\./ then CALLS[:etc]
          else
            "#{THREADS}: #{UnsafeExtension.named(lines)} is not marked as safe for Ractors, so `retries:` are of no use"
          end
        end

        # A `require` may be missing that defines the constant. (With an autoload, too, a worker waits for the main
        # Ractor.)
        def of_missing_constant(message)
          return unless (name = message[/\Auninitialized constant (?:\S*::)?([A-Z]\w*)/, 1])

          "if #{name} comes from a gem, `require` that gem before the first dispatch"
        end

        def of_missing_file(message)
          return unless (file = message[/cannot load such file -- (\S+)/, 1])

          "`require #{file.inspect}` before the first dispatch, where it says what is missing; its gem must be " \
            "installed and, under Bundler, in the Gemfile"
        end

        def data?(value)
          case value
          when String, Array, Hash, Struct, Range, Numeric, Regexp, Time then true
          when ::IO, Proc, Method, Thread, Thread::Mutex, Thread::Queue, Random then false
          else defined?(::Set) && ::Set === value
          end
        end
      end
    end
  end
end
