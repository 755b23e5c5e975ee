"""Interval arithmetic with outward rounding over tapes: proofs rest on it."""
