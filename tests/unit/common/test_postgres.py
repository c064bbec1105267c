"""Schema and query files are read as they are meant."""

from pathlib import Path

import pytest

from services.common.postgres import MigrationError, migrations, queries


def test_a_schema_file_is_its_numbered_sections() -> None:
    found = migrations("-- head\n-- migration 1: a\nselect 1;\n-- migration 2: b\nselect 2;\n")

    assert [(m.number, m.title, m.body.strip()) for m in found] == [
        (1, "a", "select 1;"),
        (2, "b", "select 2;"),
    ]


def test_a_gap_in_the_numbers_is_an_error() -> None:
    with pytest.raises(MigrationError, match=r"not \[1, 3\]"):
        migrations("-- migration 1: a\nselect 1;\n-- migration 3: c\nselect 3;\n")


def test_white_space_around_a_section_does_not_change_what_it_is() -> None:
    one = migrations("-- migration 1: a\nselect 1;\n")[0]
    other = migrations("-- migration 1: a\n\nselect 1;\n\n")[0]

    assert one.sha256 == other.sha256


def test_a_query_file_gives_statements_by_name(tmp_path: Path) -> None:
    file = tmp_path / "queries.sql"
    file.write_text("-- name: one\nselect 1;\n\n-- name: two\nselect 2;\n")

    assert {name: query.as_string() for name, query in queries(file).items()} == {
        "one": "select 1;",
        "two": "select 2;",
    }
