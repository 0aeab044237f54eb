"""Lists the visible words that a catalogue does not translate: `make strings`."""

import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po

from leadgen.core.i18n import LOCALES, TRANSLATIONS

ROOT = Path(__file__).parents[1]
_METHODS = [("leadgen/**.py", "python"), ("templates/**.html", "jinja2"), ("templates/**.txt", "jinja2")]
# Besides gettext's own: a function that hands its sentence on to gettext once for each language.
_KEYWORDS = DEFAULT_KEYWORDS | {"in_each_language": None}
_JINJA = {"newstyle_gettext": "true", "silent": "false", "extensions": "leadgen.web.kept.Kept"}
_OPTIONS = {pattern: _JINJA for pattern, method in _METHODS if method == "jinja2"}


def written() -> dict[str, str]:
    """Every message of code and templates, and the first place where it stands."""
    found: dict[str, str] = {}
    places = extract_from_dir(ROOT, _METHODS, _OPTIONS, _KEYWORDS, directory_filter=_is_ours)
    for file, line, message, _, _ in places:
        found.setdefault(message if isinstance(message, str) else message[0], f"{file}:{line}")
    return found


def translated(locale: str) -> set[str]:
    """Every message that the catalogues of this language translate, doubtful ones left out."""
    return {single for path in (TRANSLATIONS / locale).glob("*.po") for single in _entries(path, locale)}


def missing(locale: str) -> list[str]:
    """“place: message” for each message that has no translation."""
    known = translated(locale)
    return sorted(f"{place}: {message}" for message, place in written().items() if message not in known)


def _is_ours(folder: str) -> bool:
    return Path(folder).relative_to(ROOT).parts[:1] in {(), ("leadgen",), ("templates",)}


def _entries(path: Path, locale: str) -> Iterator[str]:
    with path.open("rb") as file:
        for message in read_po(file, locale=locale):
            if message.id and message.string and all(_strings(message.string)) and not message.fuzzy:
                yield next(iter(_strings(message.id)))


def _strings(value: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def main() -> int:
    """Print what is missing; as an exit code, whether anything is."""
    lines = [f"{locale}: {line}" for locale in LOCALES if locale != "en" for line in missing(locale)]
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.write(f"{len(written())} messages, {len(lines)} without a translation\n")
    return int(bool(lines))


if __name__ == "__main__":
    sys.exit(main())
