"""What the checkout promises about its own test runs."""
