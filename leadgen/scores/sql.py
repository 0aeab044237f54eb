"""What the two numbers are in SQL, for segments: the twins of scores.reckoning, on rows of contact_score `s`.

{brand} and {now} are places of values. Rules are read once for a statement.
"""

from __future__ import annotations

_OF_RULES = "SELECT {what} FROM score_rules r WHERE r.brand_id = {{brand}} AND r.state = 'standing'"
_NUMBER = "({})".format(_OF_RULES.format(what="r.number"))
_HALF_LIFE, _DAYS, _POINTS, _MOST = (
    "({})".format(_OF_RULES.format(what=f"CAST(r.definition {path} AS int)"))
    for path in ("->> 'half_life'", "-> 'silence' ->> 'days'", "-> 'silence' ->> 'points'", "-> 'silence' ->> 'most'")
)
_AGE = "greatest(0, CAST(extract(epoch FROM {{now}} - s.{at}) AS double precision))"
_LEFT = (
    f"floor(s.worth * power(CAST(0.5 AS double precision), {_AGE.format(at='worth_at')} / (86400.0 * {_HALF_LIFE}))"
    " + 0.5)"
)
_SILENCE = f"least({_MOST}, {_POINTS} * floor({_AGE.format(at='alive_at')} / (86400.0 * {_DAYS})))"

STANDING = f"s.brand_id = {{brand}} AND s.number = {_NUMBER}"
ENGAGEMENT = f"CAST(greatest(0, least(100, {_LEFT} - {_SILENCE})) AS bigint)"
REACTIVITY = (
    "CASE WHEN (s.reactions > 0 AND s.reactions * 4 >= s.letters) OR s.alive_at > {now} - interval '30 days' "
    "THEN 'lively' WHEN s.reactions > 0 OR s.alive_at > {now} - interval '180 days' THEN 'quiet' ELSE 'silent' END"
)
