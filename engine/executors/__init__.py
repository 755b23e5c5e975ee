"""Pools that carry out independent jobs: threads, processes, or a cluster."""
