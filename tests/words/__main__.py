"""`python -m tests.words`: bring the catalogues up to date with the code, and say what is left to translate."""

from tests.test_layers import ROOT
from tests.words.catalogues import TRANSLATED, file_of, read, updated, write
from tests.words.messages import said_in


def main() -> None:
    said = list(said_in(ROOT))
    for language in TRANSLATED:
        catalogue = read(language)
        _, gone = updated(catalogue, said)
        write(language, catalogue)
        waiting = [each.id for each in catalogue if each.id and not (each.string and all(each.string))]
        print(f"{file_of(language).relative_to(ROOT)}: {len(catalogue)} messages, {len(waiting)} to translate")  # noqa: T201
        for each in waiting:
            print(f"  + {each}")  # noqa: T201
        for each in gone:
            print(f"  - {each}")  # noqa: T201


if __name__ == "__main__":
    main()
