"""Put any C allocator on trial, and a family of small allocators to embed."""
