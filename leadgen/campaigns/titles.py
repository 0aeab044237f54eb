"""The name that the public knows a contest by, for statements that tell a person what is held about them."""

from __future__ import annotations


def public_title(campaign: str) -> str:
    """SQL: the title in the language of %(contact)s; `campaign` is the alias of the contest's row.

    Its own name is the house's, and never shown to anybody outside.
    """
    return f"""coalesce(
        nullif({campaign}.texts -> (SELECT locale FROM contact WHERE id = %(contact)s) ->> 'title', ''),
        nullif({campaign}.texts -> {campaign}.default_locale ->> 'title', ''), {campaign}.slug)"""  # noqa: S608 - aliases are constants of the statements
