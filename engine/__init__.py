"""The numerical engine: gradient-descent dynamics, their theory and their pictures as data; no Qt."""
