"""Every kind of letter is complete: its place in the catalogue, and its three files in both languages."""

from leadgen.core.i18n import LOCALES
from leadgen.letters import kinds
from tests.house.source import ROOT, modules, strings

_FOLDER = ROOT / "templates" / "mail"
_FILES = {"subject.txt", "body.txt", "body.html"}


def test_the_catalogue_and_the_folders_agree() -> None:
    folders = {path.name for path in _FOLDER.iterdir() if path.is_dir()}
    assert folders == set(kinds.ALL)


def test_every_letter_has_three_files_in_both_languages() -> None:
    found = {
        f"{letter}/{locale}": {path.name for path in (_FOLDER / letter / locale).glob("*")}
        for letter in kinds.ALL
        for locale in LOCALES
    }
    assert {name: _FILES - files for name, files in found.items() if _FILES - files} == {}


def test_no_file_of_a_letter_is_empty() -> None:
    assert [path for path in _FOLDER.rglob("*") if path.is_file() and not path.read_text().strip()] == []


def test_every_letter_is_wanted_somewhere() -> None:
    elsewhere = [path for path in modules() if path.name != "letters.py"]
    said = " ".join(text.value for path in elsewhere for text in strings(path))
    assert [letter for letter in kinds.ALL if letter not in said] == []
