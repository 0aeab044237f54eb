"""The outbox: what is wanted, rendered, delivered, and what providers tell us afterwards."""
