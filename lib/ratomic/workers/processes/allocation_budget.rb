# frozen_string_literal: true

module Ratomic
  module Workers
    module Processes
      # Has a worker process collect its garbage early, so that it goes on sharing its parent's memory. At the fork the
      # process inherits the free slots of the parent's heap, often some on each page. Ruby would fill all of them
      # before it collects, and with its first write to a page the process gets a copy of that page. After an early
      # collection it fills the slots again that it has filled before.
      #
      # The collections are minor ones: their marking passes over old objects, which most of the parent's are. Their
      # sweep does not. They sweep at once: a lazy sweep hands out the first pages of the heap first, where often only a
      # few slots of each are free, so the same number of objects would write to many more pages (Ruby 3.1).
      class AllocationBudget
        # Objects that the process makes between two collections, at least. In a small heap Ruby collects about as often
        # by itself, so there are hardly more collections than without this class.
        MIN_OBJECTS = 20_000
        # In a larger heap the process makes one object for so many living ones before it collects: because the sweep
        # looks at each slot, more early collections would take most of the time there.
        LIVE_OBJECTS_PER_OBJECT = 16
        # Whether early collections save memory. Where each Ractor has a heap of its own, they do not: there a
        # collection itself writes to each page that has free slots (seen with a development version of Ruby 4.1).
        USEFUL = !HEAP_PER_RACTOR

        def initialize
          begin_anew
        end

        # Called between two requests, and between items now and then. Collects if so many objects were made since the
        # last collection, also if Ruby began that one by itself. It does nothing while the collector is disabled.
        # @return [void]
        def check
          return begin_anew unless GC.count == @collections
          return if GC.stat(:total_allocated_objects) - @made < @objects

          collect
          begin_anew
        end

        private

        def begin_anew
          @collections = GC.count
          @made = GC.stat(:total_allocated_objects)
          @objects = [MIN_OBJECTS, (@made - GC.stat(:total_freed_objects)) / LIVE_OBJECTS_PER_OBJECT].max
        end

        # GC.start would collect although the collector is disabled.
        def collect
          GC.start(full_mark: false) if GcState.enabled?
        end
      end
    end
  end
end
