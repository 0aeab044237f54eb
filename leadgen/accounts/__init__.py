"""Brands and the staff who work for them."""
