"""Taking part: entry, referral, points ledger, the person's standing."""
