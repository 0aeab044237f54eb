"""Words of the things that the factories make, complete in both languages."""

from typing import Any

OPTIONS = [
    {"id": "sea", "texts": {"en": "The sea", "fr": "La mer"}},
    {"id": "city", "texts": {"en": "A city", "fr": "Une ville"}},
]


def campaign() -> dict[str, Any]:
    """The texts of a small campaign, both languages complete."""
    return {
        "en": {
            "title": "Win a week in Lisbon",
            "lead": "Enter in half a minute, bring your friends, climb the board.",
            "button": "Enter now",
            "share_text": "{first_name} thinks of you: win {prize} with me: {link}",
            "faq": [{"question": "Is it free?", "answer": "Yes, without any purchase."}],
            "rules": "No purchase necessary.\n\nThe winner is drawn at random.",
            "consent_marketing": "I would like to receive offers by e-mail.",
            "consent_rules": "I accept the rules.",
        },
        "fr": {
            "title": "Gagnez une semaine à Lisbonne",
            "lead": "Participez en une demi-minute, invitez vos amis, montez au classement.",
            "button": "Je participe",
            "share_text": "{first_name} pense à vous : gagnez {prize} avec moi : {link}",
            "faq": [{"question": "Est-ce gratuit ?", "answer": "Oui, sans obligation d’achat."}],
            "rules": "Sans obligation d’achat.\n\nLe gagnant est tiré au sort.",
            "consent_marketing": "Je souhaite recevoir des offres par e-mail.",
            "consent_rules": "J’accepte le règlement.",
        },
    }


def prize(number: int) -> dict[str, Any]:
    """A prize; the number tells it from its neighbours."""
    return {
        "en": {"title": f"A week in Lisbon {number}", "description": "Flight and hotel for two."},
        "fr": {"title": f"Une semaine à Lisbonne {number}", "description": "Vol et hôtel pour deux."},
    }


def question(number: int) -> dict[str, Any]:
    """A question without help."""
    return {
        "en": {"label": f"Question {number}?", "help": ""},
        "fr": {"label": f"Question {number} ?", "help": ""},
    }


def step(number: int) -> dict[str, Any]:
    """A letter of a sequence."""
    return {
        "en": {
            "subject": f"Letter {number}",
            "preheader": "",
            "heading": f"Letter {number}",
            "body": "Hello {first_name}, a word about your journey.",
            "button": "See my page",
            "url": "",
        },
        "fr": {
            "subject": f"Lettre {number}",
            "preheader": "",
            "heading": f"Lettre {number}",
            "body": "Bonjour {first_name}, un mot sur votre voyage.",
            "button": "Voir ma page",
            "url": "",
        },
    }
