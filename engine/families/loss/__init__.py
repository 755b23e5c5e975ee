"""Functions of several variables that a user types, with their derivatives."""
