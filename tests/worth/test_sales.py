"""A file of sales."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from leadgen import intake
from leadgen.accounts.models import Brand
from leadgen.core import hot
from leadgen.worth import sales
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


@pytest.mark.parametrize(
    "written", ["1.200", "1,200", "1e3", "1_000", "１９.９０", "٣", "9e999999", "1e999999", "-5", "+5", ".5", "5.", ""]
)
def test_no_amount_is_guessed(brand: Brand, tmp_path: Path, written: str) -> None:
    make_contact(brand, "zoe@mail.example")
    path = tmp_path / "sales.csv"
    line = f'zoe@mail.example,A1,"{written}",2026-05-31T10:00:00+02:00'
    path.write_text(f"email,reference,amount,at\n{line}\n", encoding="utf-8")
    report = sales.take(brand, path)
    assert [number for number, _reason in report.refused] == [2]
    assert "1250 or 19.90" in report.refused[0][1]
    assert hot.many("SELECT amount FROM sale", {}) == []


@pytest.mark.parametrize(("written", "minor"), [("5", 500), ("19,9", 1990), ("19.05", 1905), ("99999999", 9999999900)])
def test_amounts_are_read_to_the_cent(brand: Brand, tmp_path: Path, written: str, minor: int) -> None:
    make_contact(brand, "zoe@mail.example")
    path = tmp_path / "sales.csv"
    line = f'zoe@mail.example,A1,"{written}",2026-05-31T10:00:00+02:00'
    path.write_text(f"email,reference,amount,at\n{line}\n", encoding="utf-8")
    assert sales.take(brand, path).recorded == 1
    assert hot.many("SELECT amount FROM sale", {}) == [{"amount": minor}]


@pytest.mark.parametrize("broken", [b"zo\xe9@mail.example,A2,5,x\n", b"x" * 200_000 + b",A2,5,x\n"])
def test_what_is_no_csv_file_is_said_and_what_stood_before_is_kept(
    app: Flask, brand: Brand, tmp_path: Path, broken: bytes
) -> None:
    make_contact(brand, "zoe@mail.example")
    path = tmp_path / "sales.csv"
    good = b"zoe@mail.example,A%d,5,2026-05-31T10:00:00+02:00\n"
    lines = b"".join(good % number for number in range(400))  # more than is decoded at once
    path.write_bytes(b"email,reference,amount,at\n" + lines + broken)
    done = app.test_cli_runner().invoke(intake.import_sales, [str(path), "--brand", brand.slug])
    assert done.exit_code == 1
    assert "This is no CSV file in UTF-8" in done.output
    assert hot.many("SELECT count(*) > 0 AS some FROM sale", {}) == [{"some": True}]


def test_a_file_without_the_columns_is_refused(app: Flask, brand: Brand, tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_text("email,amount\n", encoding="utf-8")
    done = app.test_cli_runner().invoke(intake.import_sales, [str(path), "--brand", brand.slug])
    assert done.exit_code == 1
    assert "must name the columns" in done.output
