"""Files that leave the window: figures, data, learned parameters, animations."""
