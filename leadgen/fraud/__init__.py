"""Evidence, not verdicts: signals on entries, pairs and groups, a score that explains itself, what people decide."""
