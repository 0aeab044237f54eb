"""The contest as the brand defines it: life, dates, rules, prizes, questions, texts."""
