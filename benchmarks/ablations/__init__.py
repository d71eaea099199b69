"""What single choices of a trainer are worth, measured."""
