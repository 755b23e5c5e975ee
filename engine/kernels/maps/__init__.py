"""Many runs of one law at once: where each of them ends."""
