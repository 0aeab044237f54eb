"""What an entry can win by reaching something: milestones, their stock, the vault of codes, claims."""
