"""The theory dock: bounds, claims, the stability meter."""
