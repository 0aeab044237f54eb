"""What mails say: the catalogue of letters, their templates, and a marketer’s own words in them."""
