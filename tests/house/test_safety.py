"""What opens a hole or gives the house away does not stand in the source."""

import ast
import re
from pathlib import Path

from tests.house.source import PRODUCT, ROOT, modules, place, tracked, tree

TEMPLATES = ROOT / "templates"
_UNSAFE_MARKUP = re.compile(r"\|\s*safe\b|\bMarkup\(|render_template_string|autoescape\s+false|\.innerHTML|\beval\(")
# Where trusted markup is made, and why it can be trusted.
_MARKUP_WITH_REASON: dict[str, str] = {
    "leadgen/letters/rendering.py": "markers of its own, such as [[link]]; values are escaped when they replace them",
    "leadgen/letters/words.py": "links and markers of the module's own around escaped words",
    "leadgen/web/kept.py": "what a template of ours rendered, with every value in it escaped",
    "leadgen/web/public/embed.py": "the same two lines as on the landing page, escaped where they are put together",
    "leadgen/web/pages.py": "plain text as paragraphs: each line is escaped by Markup.format and join",
}
_SQL = re.compile(r"\b(?:SELECT|INSERT INTO|UPDATE|DELETE FROM|ALTER|CREATE|DROP|TRUNCATE|SET|COPY)\b")
# Statements that are put together from parts, and why no part comes from outside.
_BUILT_SQL_WITH_REASON: dict[str, str] = {
    "leadgen/rewards/loading.py": "the number of the tier, as a literal of psycopg: COPY takes no parameters",
    "leadgen/fraud/reading.py": "one list of columns for a contest and for some entries; conditions are of the module",
    "leadgen/fraud/sources.py": "one of four columns of the module",
    "leadgen/fraud/sightings.py": "columns and their types by a list of the module",
    "leadgen/contacts/evidence.py": "a constant of the module: the columns of a link",
    "leadgen/entries/confirming.py": "constants of the module: which states can be confirmed, hours, tries",
    "leadgen/entries/correcting.py": "constants of mail.bounds: how often an address is written to",
    "leadgen/entries/credits.py": "constants of the module: what taking back and giving back write",
    "leadgen/entries/entering.py": "constants of mail.bounds, and how many generations are counted",
    "leadgen/entries/entrants.py": "columns written in the module; the campaign is a parameter",
    "leadgen/entries/leaderboard.py": "constants of the module",
    "leadgen/entries/many.py": "constants of the module and of entries.points",
    "leadgen/entries/person.py": "constants of the module and of entries.places",
    "leadgen/entries/places.py": "constants of the module and of entries.points",
    "leadgen/entries/points.py": "constants of the module",
    "leadgen/entries/waitlist.py": "constants of the module",
    "leadgen/entries/ranking.py": "columns and a constant of the module; the campaign is a parameter",
    "leadgen/entries/upkeep.py": "constants of mail.bounds",
    "leadgen/fraud/desk.py": "constants of the module: the lists of the desk, and how many are shown",
    "leadgen/seed.py": "a constant of entries.points: the hour of a moment",
    "leadgen/analytics/headcounts.py": "conditions of analytics.crowds",
    "leadgen/analytics/crowds.py": "conditions of the module; what is asked for are words of an enum and parameters",
    "leadgen/analytics/sheets.py": "conditions of analytics.crowds; psycopg.sql quotes the campaign",
    "leadgen/analytics/trees.py": "a constant of the module: what is read of a person",
    "leadgen/analytics/sending.py": "constants of the module: in the order of which index errors are read",
    "leadgen/analytics/vitals.py": "constants of the module: where counting stops",
    "leadgen/mail/audit.py": "the statements of mail.invariants, and names of temporary tables",
    "leadgen/mail/bounds.py": "the count is one text for statements of two drivers, with columns and parameters put in",
    "leadgen/mail/gates.py": "constants of the module",
    "leadgen/mail/rescue.py": "constants of the module: which mails, and what is done with them",
    "leadgen/mail/outbox.py": "constants of the module: minutes of waiting",
    "leadgen/scores/sources.py": "constants of the module: who is staff or excluded, and days of letters",
    "leadgen/scores/scoring.py": "columns and tables of the module",
    "leadgen/scores/sql.py": "pieces of the module; the brand and the moment are bound by segments",
    "leadgen/worth/refreshing.py": "constants of worth.counting",
    "leadgen/worth/service.py": "constants of worth.counting",
    "leadgen/segments/reading.py": "conditions of segments.compiling, whose values are bound",
    "leadgen/segments/sources.py": "pieces of the tables of fields; what people choose is bound, and a test proves it",
    "leadgen/broadcasts/audiences.py": "constants of the module, of mail.groups, and the condition of a segment",
    "leadgen/broadcasts/expansion.py": "constants, and the condition of a segment: to whom, and in which states",
    "leadgen/nurture/conditions.py": "the condition of segments.compiling, whose values are bound",
    "leadgen/nurture/looking.py": "constants of the module, and conditions of segments.compiling",
    "leadgen/nurture/planning.py": "a constant of mail.groups: how a recipient's group is found",
    "leadgen/authoring/moving.py": "constants of the module: who comes back, and what somebody was taken away from",
    "leadgen/authoring/pausing.py": "a constant of the module: which mails and people are late",
    "leadgen/outcomes/readers.py": "constants of outcomes.results: the same conditions as for the figures",
    "leadgen/outcomes/results.py": "constants of the module, and the condition of a segment, whose values are bound",
    "leadgen/forms/forgetting.py": "the public title of a contest by campaigns.titles; aliases are of the statement",
    "leadgen/nurture/forgetting.py": "the public title of a contest by campaigns.titles; aliases are of the statement",
    "leadgen/nurture/whereabouts.py": "constants of the module: which rows belong to a number, and which columns",
    "leadgen/rehearsals/outlook.py": "constants of rehearsals.subjects, and conditions of segments with bound values",
    "leadgen/rehearsals/subjects.py": "constants of the module and of mail.gates: bars, hours and numbers",
    "leadgen/campaigns/titles.py": "the alias of the contest's row, a constant of each statement",
    "leadgen/actions/forgetting.py": "the public title of a contest by campaigns.titles; aliases are of the statement",
    "leadgen/entries/held.py": "the public title of a contest by campaigns.titles; aliases are of the statement",
    "leadgen/fraud/held.py": "the public title of a contest by campaigns.titles; aliases are of the statement",
    "leadgen/gallery/forgetting.py": "the public title of a contest by campaigns.titles; aliases are of the statement",
    "leadgen/rewards/mine.py": "the public title of a contest by campaigns.titles; aliases are of the statement",
    "leadgen/profile/answers.py": "campaigns.titles and a part of the module: how the field of an answer is found",
    "leadgen/visits/reading.py": "the public title of a contest by campaigns.titles; aliases are of the statement",
    "leadgen/embedded/postgres.py": "psycopg.sql quotes the name of the development database",
}
_INLINE = re.compile(
    r"<script(?![^>]*\bsrc=)(?![^>]*application/(?:ld\+)?json)[^>]*>|<style|\sstyle=|\son[a-z]+=", re.IGNORECASE
)
_LOADS = re.compile(
    r"(?:src|srcset|poster|data)=[\"']?https?:|<link[^>]+href=[\"']?https?:|@import|url\([\"']?https?:", re.IGNORECASE
)
_MACHINE = re.compile(r"(?<![\w.])/(?:home|Users|root|mnt|work|workspace|builds)/\w|\bfile://", re.IGNORECASE)
_OWN_LINES = {"test_safety.py"}
_PUBLIC = ("public", "errors")


def _code() -> list[Path]:
    shown = tracked(".html", ".js", ".svg")
    return [*modules(), *(path for path in shown if "tests" not in path.parts)]


def test_markup_is_never_trusted_without_a_reason() -> None:
    found = {
        place(path)
        for path in _code()
        for line in path.read_text().splitlines()
        if _UNSAFE_MARKUP.search(line) and not line.lstrip().startswith("#")
    }
    assert found - set(_MARKUP_WITH_REASON) == set()
    assert set(_MARKUP_WITH_REASON) - found == set(), "this exception is not needed any more"


def _is_built(node: ast.expr) -> bool:
    """Text that is put together at run time: f-string, %, + or .format()."""
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(part, ast.FormattedValue) for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
        return not (isinstance(node.left, ast.Constant) and isinstance(node.right, ast.Constant))
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format"


def _constants(path: Path) -> dict[str, str]:
    """The module's named texts: a statement may be put together from one of them."""
    return {
        target.id: _words(node.value, {})
        for node in tree(path).body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _words(node: ast.expr, constants: dict[str, str]) -> str:
    """The text in an expression, and behind the names in it."""
    parts = ast.walk(node)
    literal = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    return " ".join([*literal, *(constants.get(part.id, "") for part in parts if isinstance(part, ast.Name))])


def test_sql_is_never_put_together_without_a_reason() -> None:
    built = set()
    for path in modules():
        constants = _constants(path)
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.expr) and _is_built(node) and _SQL.search(_words(node, constants)):
                built.add(place(path))
    assert built - set(_BUILT_SQL_WITH_REASON) == set()
    assert set(_BUILT_SQL_WITH_REASON) - built == set(), "this exception is not needed any more"


def test_public_pages_hold_no_inline_script_or_style() -> None:
    """So that the policy needs no nonce there and a rendered page can be cached."""
    pages = [TEMPLATES / "base.html", TEMPLATES / "_forms.html"]
    pages += [path for door in _PUBLIC for path in (TEMPLATES / door).rglob("*.html")]
    found = [
        place(path, number)
        for path in pages
        if path.is_file()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if _INLINE.search(line)
    ]
    assert found == []


def test_pages_load_nothing_from_third_parties() -> None:
    """Links may lead out; what the browser loads by itself may not."""
    found = [
        place(path, number)
        for path in tracked(".html", ".css", ".js", ".svg")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if _LOADS.search(line) and 'rel="canonical"' not in line
    ]
    assert found == []


def test_no_template_asks_the_database() -> None:
    asks = re.compile(r"\bquery\b|\bsession\.(?:execute|scalars?)\b|\bdb\.")
    found = [
        place(path, number)
        for path in tracked(".html", ".txt")
        if TEMPLATES in path.parents
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if any(asks.search(tag) for tag in re.findall(r"{[{%].*?[%}]}", line))
    ]
    assert found == []


def test_no_path_of_a_machine() -> None:
    """A clone works elsewhere: no home folder, no build folder."""
    found = [
        f"{place(path, number)} {line.strip()[:80]}"
        for path in tracked(".py", ".toml", ".txt", ".md", ".sh", ".yaml", ".yml", ".html", ".js", ".css", ".po", "")
        if path.name not in _OWN_LINES
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if _MACHINE.search(line)
    ]
    assert found == []


def test_locks_name_no_registry() -> None:
    """Each machine installs from the index that it is given."""
    locks = [path for path in tracked(".txt") if path.name.startswith("requirements")]
    assert locks
    index = re.compile(r"://|--(?:extra-)?index-url|--find-links|--trusted-host")
    assert [place(path) for path in locks if index.search(path.read_text())] == []


def test_every_style_sheet_closes_what_it_opens() -> None:
    """A browser says nothing about a brace that got lost, and drops half of the rules behind it."""
    sheets = [path for path in tracked(".css") if PRODUCT in path.parents]
    assert sheets
    assert [place(path) for path in sheets if path.read_text().count("{") != path.read_text().count("}")] == []
