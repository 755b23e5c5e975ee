"""Proofs of stability for experiments whose step descends a loss that is a program."""
