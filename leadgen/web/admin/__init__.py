"""The marketer's studio."""
