"""Figures on paper, drawn from the same descriptions as the live plots."""
