"""What people hand in: photos, texts, ideas; moderation, and the votes of others."""
