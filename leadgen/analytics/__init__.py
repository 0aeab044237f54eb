"""Numbers about campaigns: reads everything, is read by no room."""
