"""Everything that knows a mail provider: one file for each, behind one small interface."""
