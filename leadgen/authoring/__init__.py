"""Writing a sequence: its draft, what is wrong with it, what a new version does to people, pauses, and YAML."""
