"""verl: its dataset, its reward function and its agent loop, made of our environments."""
