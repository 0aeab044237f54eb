"""Strangers as processes of their own: a mail provider that misbehaves as planned, and wires that can be cut."""
