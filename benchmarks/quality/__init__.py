"""Quality: official benchmarks and checks of agreement with them."""
