"""Measures the hot paths and plays the model campaign, on servers of its own."""
