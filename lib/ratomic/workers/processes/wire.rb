# frozen_string_literal: true

module Ratomic
  module Workers
    module Processes
      # The format of messages between a pool and a worker process. Each message is a frame: one letter, the number of
      # bytes, and that many bytes.
      module Wire
        # Levels of nested objects that are written.
        MAX_DEPTH = 1_050
        HEAD = "aN"
        FRAME = "aNa*"
        HEAD_BYTES = 5
        # The number of bytes has 32 bits.
        MAX_FRAME_BYTES = (1 << 32) - 1
        # Bytes at a time.
        READ_BYTES = 1 << 17
        # Size of a socket's send buffer, if the system allows so much. Results wait there until the parent reads them.
        SEND_BUFFER_BYTES = 1 << 20
        # A worker process has begun with the first item.
        BEGUN = "b"
        # A result: plain data; a String in UTF-8, as it is; a dropped item; anything else, by Marshal.
        PLAIN = "p"
        TEXT = "t"
        DROP = "d"
        RESULT = "r"
        # Results of a run: all are plain data; some are not; the run has raised.
        PLAIN_RUN = "n"
        RUN = "m"
        RAISED = "x"
        # The request cannot be read.
        UNREADABLE = "u"
        # A hook has raised, or has ended the thread in which the process began.
        TROUBLE = "h"
        REPLACED = "z"
        # The process is to end, and to call the hooks for that: a request without answer.
        STOP = "s"
        # The request is done.
        DONE = "e"
        # Bytes on the control socket, from the worker process. READY: the request, or the start, is done. FULL: the
        # data socket is full of results.
        READY = "."
        FULL = "!"
        # The request is done, and its last frames follow on the control socket: the last result and DONE. On the data
        # socket there is only BEGUN.
        LAST = ","
        # Longer frames go over the data socket.
        MAX_LAST_BYTES = 4096
        # Bytes that one read of the control socket asks for. A request with a few items comes in one read.
        CONTROL_BYTES = 1 << 14
        # The kinds of results of a run: one byte for each result.
        MADE = 0
        DROPPED_ITEM = 1
        FOLDED_ITEM = 2
        # The most frequent content of DONE: no counts of a pipeline, and not too much memory.
        NOTHING = [nil, false].freeze
        private_constant :MADE, :DROPPED_ITEM, :FOLDED_ITEM

        class << self
          # @return [String]
          # @raise [ShareableError] when it is {too_long?}
          def frame(letter, bytes = "")
            raise ShareableError, too_long(bytes) if too_long?(bytes)

            [letter, bytes.bytesize, bytes].pack(FRAME)
          end

          # Whether there are too many bytes for a frame.
          def too_long?(bytes)
            bytes.bytesize > MAX_FRAME_BYTES
          end

          # @return [String] for people
          def too_long(bytes)
            "#{bytes.bytesize} bytes are too many for a worker process, 4 GB can cross at a time; split it, or pass " \
              "the name of a file"
          end

          # @param results [Array] of a run
          # @return [String] its frame
          # @yieldparam result that cannot be written; the block returns what is written instead
          # @yieldparam place [Integer] its index in the run
          def run(results)
            kinds = results.map { |result| Vacancy === result ? vacancy(result) : MADE }.pack("C*")
            made = results.grep_v(Vacancy)
            plain = PlainData.frame(PLAIN_RUN, [kinds, made])
            return plain if plain

            all = dump(made)
            unless all
              good = results.map.with_index { |result, at| dump(result) ? result : yield(result, at) }
              all = Marshal.dump(good.grep_v(Vacancy))
            end
            frame(RUN, Marshal.dump([kinds, all]))
          end

          # @param content [String, Array] of the frame
          # @return [Array] the results
          def read_run(content)
            # rubocop:disable Security/MarshalLoad -- a worker's own
            kinds, made = content.is_a?(Array) ? content : Marshal.load(content)
            made = Marshal.load(made) if made.is_a?(String)
            # rubocop:enable Security/MarshalLoad
            place = -1
            kinds.unpack("C*").map do |kind|
              case kind
              when DROPPED_ITEM then DROPPED
              when FOLDED_ITEM then FOLDED
              else freeze_failures(made[place += 1])
              end
            end
          end

          # @return [String] the frame of one result
          # @raise [ShareableError] as {#frame}
          # @yieldparam result that cannot be written; the block returns what is written instead
          def result(result)
            return frame(TEXT, result) if text?(result)
            return frame(DROP) if DROPPED.equal?(result)

            PlainData.frame(PLAIN, result) || frame(RESULT, dump(result) || Marshal.dump(yield(result)))
          end

          # @param content [Object] of the frame
          # @return [Object]
          def read_result(letter, content)
            case letter
            when PLAIN, TEXT then content
            when DROP then DROPPED
            else freeze_failures(Marshal.load(content)) # rubocop:disable Security/MarshalLoad -- a worker's own
            end
          end

          # @return [Failure] what a hook has raised
          def read_trouble(content)
            Marshal.load(content) # rubocop:disable Security/MarshalLoad -- a worker's own
          end

          # @param news [Array] counts of a pipeline's stages, or nil; and whether the process has too much memory
          # @return [String] the frame for the end of a request; short, if it is {NOTHING}
          def end(news)
            frame(DONE, news == NOTHING ? "" : Marshal.dump(news))
          end

          # @return [Array]
          def read_end(bytes)
            bytes.empty? ? NOTHING : Marshal.load(bytes) # rubocop:disable Security/MarshalLoad -- a worker's own
          end

          # @return [String, nil] nil for what Marshal does not write
          def dump(object)
            Marshal.dump(object, MAX_DEPTH)
          rescue UserException
            nil
          end

          # Why an object cannot cross.
          # @return [String] "[:file] (an instance of IO)"
          def obstacle(root)
            return Sharing::TOO_DEEP if Sharing.too_deep?(root)

            path = ""
            object = root
            seen = {}.compare_by_identity
            until seen[object]
              seen[object] = true
              step, child = References.of(object).find { |_, inner| !seen[inner] && !dump(inner) }
              break unless step

              path = References.join(path, step)
              object = child
            end
            "#{path.empty? ? "it" : path} (an instance of #{Reflection.class_name_of(object)})"
          rescue UserException
            "it (an instance of #{Reflection.class_name_of(root)})"
          end

          private

          def text?(object)
            String === object && object.instance_of?(String) && object.encoding == Encoding::UTF_8 &&
              object.instance_variables.empty?
          end

          def vacancy(result)
            DROPPED.equal?(result) ? DROPPED_ITEM : FOLDED_ITEM
          end

          # Freezes Failures and partial sums. They are frozen with every backend, also if results are not.
          def freeze_failures(result)
            case result
            when Failure then Ractor.make_shareable(result)
            when Partial then result.freeze
            else result
            end
          end
        end
      end
    end
  end
end
