"""People who play a campaign through real HTTP; a client that imports nothing of the product."""
