"""What ensembles of several experiments share: settings, runs, tables, pictures."""
