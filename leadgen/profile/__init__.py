"""What is held about one person, for the person: every value with why, since when and how long; correcting it."""
