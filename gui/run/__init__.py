"""The link to the engine, and what the user wants of a run."""
