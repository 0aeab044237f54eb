"""Sequences of letters: who is enrolled, which letter is next, and when."""
