"""The form of the parameters."""
