"""Training runs of others, read from their logs and set against the optimiser's limit."""
