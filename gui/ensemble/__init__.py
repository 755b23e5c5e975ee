"""The ensemble dock."""
