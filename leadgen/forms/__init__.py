"""Qualification forms: fields on pages with conditions, their versions, who is where in them, and what to ask next."""
