"""Pictures of a whole family of runs: what becomes of them, over a range of step sizes."""
