# frozen_string_literal: true

# Renders pages: the fragments in workers, then the page around them.
module ShopPages
  VIEWS = File.expand_path("views", __dir__)

  # @param name [String] of a file in views/
  # @return [Ratomic::Workers::RenderERB]
  def self.view(name)
    path = File.join(VIEWS, name)
    Ratomic::Workers::RenderERB.new(File.read(path), helpers: Money, filename: path)
  end

  PRODUCT = view("product.html.erb")
  CATEGORY = view("category.html.erb")
  # Starts with the first request of each process. `min_batch: 0` so that each page goes to the workers, which is what
  # this example is about; without it the thread of a request renders a page that is quickly done.
  POOL = Ratomic::Workers::Pool.new(name: "pages", size: 2, min_batch: 0)

  # @param number [Integer]
  # @param pool [Ratomic::Workers::Pool]
  # @return [String]
  # @raise [Ratomic::Error]
  def self.category(number, pool: POOL)
    products = pool.dispatch_async(Catalogue.products(number), PRODUCT, cancel_on_abandon: true)
    page(number, products.value!(timeout: 10))
  end

  # @param products [Array<String>] their fragments
  # @return [String]
  def self.page(number, products)
    CATEGORY.call({ number: number, products: products }.freeze)
  end
end
