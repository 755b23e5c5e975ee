"""What a network learns from: bundled, drawn, or read from a file."""
