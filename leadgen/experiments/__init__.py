"""What the outcome of a test means: plain arithmetic on counts, which knows no letter, no person and no table."""
