# frozen_string_literal: true

# Loads the application: in Puma's master with preload_app!, else in each of its processes. Templates and the pool are
# constants, and nothing is dispatched before a request: so no worker is alive when Puma forks.

require "ratomic"
require_relative "../app/catalogue"
require_relative "../app/money"
require_relative "../app/shop_pages"
require_relative "../app/site"
