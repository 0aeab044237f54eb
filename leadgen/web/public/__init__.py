"""What prospects and recipients of mails see."""
