# frozen_string_literal: true

# Minitest before 5.23 (Debian 12 has 5.17) asks for Mutex_m, and Ruby 3.4 and later no longer bring it. This one is on
# the load path only where Ruby has none of its own.
module Mutex_m # rubocop:disable Naming/ClassAndModuleCamelCase
  def self.extend_object(object)
    super
    object.mu_initialize
  end

  def initialize(*arguments, **options, &block)
    mu_initialize
    super
  end

  def mu_initialize
    @_mutex = Thread::Mutex.new
  end

  def synchronize(&block)
    @_mutex.synchronize(&block)
  end
  alias mu_synchronize synchronize

  def lock
    @_mutex.lock
  end
  alias mu_lock lock

  def unlock
    @_mutex.unlock
  end
  alias mu_unlock unlock

  def try_lock
    @_mutex.try_lock
  end
  alias mu_try_lock try_lock

  def locked?
    @_mutex.locked?
  end
  alias mu_locked? locked?
end
