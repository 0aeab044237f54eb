"""Broadcasts: one letter to many people at once, to whom it goes, and how far it has come."""
