"""The paper and later literature, recomputed: studies as data, carried out and put in a report."""
