"""The numerical engine: gradient-descent dynamics, their theory, their pictures as data."""
