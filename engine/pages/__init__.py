"""Live pages: a run as one HTML file that computes its own steps."""
