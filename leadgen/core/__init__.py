"""The ground: machinery that knows no business word."""
