"""Steps of the optimisers, and descent over a program."""
