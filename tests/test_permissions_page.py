"""docs/permissions.md says what the code does."""

from tests.permission_tables import BEGIN, FILE, tables, whole


def test_the_tables_of_the_page_are_those_of_the_code() -> None:
    page = FILE.read_text()

    assert page == whole(page), "permissions have changed: run `python -m tests.permission_tables`"


def test_the_tables_replace_the_old_ones_and_nothing_else() -> None:
    page = f"before\n{BEGIN}\nold\n<!-- until here -->\nafter\n"

    assert whole(page) == f"before\n{BEGIN}\n{tables()}\n<!-- until here -->\nafter\n"
