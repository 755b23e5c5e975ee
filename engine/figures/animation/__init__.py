"""Animations: runs and sweeps of a parameter as MP4, GIF and WebP."""
