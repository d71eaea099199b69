"""The environments. Import a class from its module; ``gym.make`` does so by itself."""
