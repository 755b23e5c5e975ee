"""Products of matrices: what the single and the double matrix network share."""
