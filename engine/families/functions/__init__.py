"""Functions of one and two variables that a user types."""
