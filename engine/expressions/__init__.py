"""Functions that a user types: read, checked, made into straight-line programs, typeset."""
