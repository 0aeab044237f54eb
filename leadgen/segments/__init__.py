"""Segments: who is meant, as conditions over everything known of a contact, compiled to SQL and told in words."""
