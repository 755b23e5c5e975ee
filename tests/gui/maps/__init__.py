"""Tests of the maps of the window."""
