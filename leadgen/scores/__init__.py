"""Two numbers of a person that explain themselves: how well they fit, and how engaged they are."""
