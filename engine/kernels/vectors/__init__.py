"""Numbers side by side in a vector register."""
