"""People: identity, consent, answers, suppression, erasure."""
