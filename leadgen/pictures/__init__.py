"""Uploaded pictures, made anew and kept in the database: photos that people hand in, and a brand's own."""
