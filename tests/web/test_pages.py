"""Words of marketers as HTML: paragraphs, and rules with headings."""

from leadgen.web import pages


def test_empty_lines_part_paragraphs_and_line_ends_stay() -> None:
    assert pages.paragraphs("One\ntwo\r\n\r\n\nThree") == "<p>One<br>two</p><p>Three</p>"


def test_what_was_typed_is_escaped() -> None:
    assert "<script>" not in pages.paragraphs("<script>alert(1)</script>")
    assert "<script>" not in pages.articles("1. <script>alert(1)</script>")


def test_a_numbered_line_of_its_own_is_a_heading_of_the_rules() -> None:
    shown = pages.articles("1. Organiser\n\nWe are.\n\n12. Law and disputes\n\n3. A sentence.\n\n4. Two\nlines")

    assert shown == (
        "<h2>1. Organiser</h2><p>We are.</p><h2>12. Law and disputes</h2><p>3. A sentence.</p><p>4. Two<br>lines</p>"
    )
