"""Analysis of orbits, written once for every experiment."""
