"""What is drawn on: axes, layers, lines, images, the pointer."""
