"""“It wasn't me”."""

from leadgen.core import hot
from tests.web.public.conftest import Scene
from tests.web.public.street import Visitor, count


def _status(entry_id: int) -> dict[str, object] | None:
    return hot.one("SELECT status FROM entry WHERE id = %(id)s", {"id": entry_id})


def test_looking_ends_nothing(visitor: Visitor, scene: Scene) -> None:
    """Rule 2: scanners follow this link too."""
    page = visitor.get(f"{scene.refuse}?lang=en")
    assert "It was not you?" in page.text
    assert "a•••@m•••.example" in page.text
    assert _status(scene.anna_id) == {"status": "pending"}


def test_pressing_ends_the_entry_and_blocks_the_address(visitor: Visitor, scene: Scene) -> None:
    page = visitor.post(f"{scene.refuse}?lang=en")
    assert "we do not write to you any more" in page.text
    assert _status(scene.anna_id) == {"status": "refused"}
    assert count("suppression") == 1
    assert visitor.post(f"{scene.refuse}?lang=en").status_code == 200
    assert "This entry was withdrawn" in visitor.get(f"{scene.confirm}?lang=en").text


def test_a_confirmed_entry_is_not_ended_by_a_mail_link(visitor: Visitor, scene: Scene) -> None:
    visitor.post(scene.confirm)
    assert "can no longer be refused" in visitor.post(f"{scene.refuse}?lang=en").text
    assert _status(scene.anna_id) == {"status": "confirmed"}
