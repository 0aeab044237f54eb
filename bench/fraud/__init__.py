"""The synthetic fraud set: contests whose cheats are known, by which any scorer of the product is judged.

It stood before any scorer and knew none, because rules and examples made together flatter each
other. Nothing here imports a scorer, and no scorer may import this package.

`python -m bench.fraud --seed 1 --hard --evade 0.3` prints a summary of one contest.

**What an entry carries** (`contest.Entry`) is only what the product can observe without fingerprinting and without
third parties: what the form said, keyed hashes of network and address with a type from an offline list, the strictly
functional cookie set after the form was sent, what the browser says of itself in headers or through a script on the
page, counted visits, confirmation, later deeds. What is fraud stands apart in `Contest.labels`.

**About 10,000 entries over 21 days, 16 % fraud.** Everybody, cheats too, is made by the same makers of names,
mailboxes, networks and habits (`world`, `people`); a crew of cheats then differs where its kind must, never always:

* `alias`: catch-all domain, `+` at providers whose `+` the product keeps, counted-up names at Gmail
* `disposable`: throw-away domains that no list knows (listed ones are refused at the door), some on hosts known
  from refused sign-ups, confirmed within seconds; one of those hosts serves honest small domains as well
* `cookie`: one browser again and again, its cookie cleared
* `bot`: posted by a script, mostly from data centres
* `farm`: many real phones on few networks, metronome arrivals
* `vpn`: one person through many exits, one mailbox provider
* `bought`: strangers paid for the click, mostly from abroad
* `ring`: friends who refer each other's second mailboxes
* `snipe`: a pile of referrals that are sent or confirmed in the last hours

Vote and share buying is left out: this contest has neither votes nor paid shares, so nothing of it could be seen. So
is the insider, whom the audit trail must show and no score of entries can. Two entries never share a mailbox: the
product refuses the second at the door, so self-referral within one Gmail mailbox cannot arrive here.

Every crew has honest referrals mixed in (group `under_cheat`). **Honest people who look alike** have names too
(`contest.HARD_NEGATIVES`): families with own devices and with one, lecture halls, influencers' bursts, VPN users,
plus-addresses, relays, fast confirmers, groups of friends, a genuine end rush, browsers without scripts. And once a
rival is bombed: 200 bots are sent to the link of an honest leader (`bombed_leader`, bots in group `rival_bombing`).

**Knobs.** `hard`: honest people confirm fast and rarely come back. `evade`: share of crews that space out, use home
networks, own devices and human speed; discipline slips in one of eight of their entries, and what they cannot do is
make strangers live: few come back, answer or share.

`held_out` adds one kind of fraud and one honest group that the author of a scorer does not look at while tuning.
`measures` and `oracle` judge plain dictionaries.
"""
