"""Append-only facts, their vocabulary, and counters of what is too frequent for a fact."""
