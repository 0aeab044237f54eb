"""What a contact is worth to a brand: their own deeds at the brand's prices, and a part of their friends'."""
