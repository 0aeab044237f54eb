"""All pages of the studio: importing them hangs their views on the door."""

from __future__ import annotations

from leadgen.web.admin import (
    actions,
    awards,
    blasts,
    board,
    brands,
    broadcasts,
    campaigns,
    codes,
    contacts,
    dates,
    deliverability,
    embed,
    entrants,
    landing,
    letters,
    overview,
    prizes,
    proof,
    question_pages,
    questions,
    rehearsal,
    review,
    rewards,
    segment_edit,
    segments,
    sending,
    sending_mails,
    sending_pace,
    sequence_edit,
    sequence_letter,
    sequence_parts,
    sequence_pause,
    sequence_people,
    sequence_publish,
    sequence_step,
    sequence_yaml,
    sequences,
    sessions,
    share_kit,
    spreading,
    virality,
    works,
)
from leadgen.web.admin.door import blueprint

PAGES = (
    sessions, actions, campaigns, overview, landing, prizes, board, dates, questions, question_pages, letters,
    sequences, sequence_edit, sequence_step, sequence_parts, sequence_letter, sequence_publish, sequence_pause,
    sequence_yaml, entrants, contacts, proof, review, embed, brands, broadcasts, blasts, deliverability, sending,
    sending_mails, sending_pace, share_kit, spreading, virality, works, rewards, awards, codes, segments, segment_edit,
    rehearsal, sequence_people,
)  # fmt: skip

__all__ = ["PAGES", "blueprint"]
