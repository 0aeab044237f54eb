"""A file of sales."""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from leadgen import intake
from leadgen.accounts.models import Brand
from leadgen.core import hot
from tests.factories import make_contact


def test_sales_are_noted_once_and_what_cannot_be_is_told(app: Flask, brand: Brand, tmp_path: Path) -> None:
    make_contact(brand, "zoe@mail.example")
    path = tmp_path / "sales.csv"
    lines = (
        "email,reference,amount,at",
        "Zoe@mail.example,A1,19.90,2026-05-31T10:00:00+02:00",
        "zoe@mail.example,A1,5,2026-05-31T10:00:00+02:00",
        "nobody@mail.example,A2,5,2026-05-31T10:00:00+02:00",
        'zoe@mail.example,A3,"19,905",2026-05-31T10:00:00+02:00',
        "zoe@mail.example,A4,5,yesterday",
    )
    path.write_text("\n".join(lines), encoding="utf-8")
    done = app.test_cli_runner().invoke(intake.import_sales, [str(path), "--brand", brand.slug])
    assert done.exit_code == 0, done.output
    assert "1 sales noted, 1 known already, 3 lines refused" in done.output
    for line in ("line 4: Nobody here has this address.", "line 5: Write an amount", "line 6: Write moments like"):
        assert line in done.output
    assert hot.many("SELECT amount FROM sale", {}) == [{"amount": 1990}]


def test_a_file_without_the_columns_is_refused(app: Flask, brand: Brand, tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_text("email,amount\n", encoding="utf-8")
    done = app.test_cli_runner().invoke(intake.import_sales, [str(path), "--brand", brand.slug])
    assert done.exit_code == 1
    assert "must name the columns" in done.output
