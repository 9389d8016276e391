"""A small file shaped like the public data set, and its column map."""

import csv
from collections.abc import Iterable
from pathlib import Path

from server.importers import ColumnMap, load_column_map

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "examples" / "customer_support_tickets.toml"

COLUMNS = [
    "Ticket ID",
    "Customer Name",
    "Customer Email",
    "Customer Age",
    "Customer Gender",
    "Product Purchased",
    "Date of Purchase",
    "Ticket Type",
    "Ticket Subject",
    "Ticket Description",
    "Ticket Status",
    "Resolution",
    "Ticket Priority",
    "Ticket Channel",
    "First Response Time",
    "Time to Resolution",
    "Customer Satisfaction Rating",
]

CLOSED = {
    "Ticket ID": "1",
    "Customer Name": "Ann Example",
    "Customer Email": "ann@example.com",
    "Customer Age": "32",
    "Customer Gender": "Other",
    "Product Purchased": "GoPro Hero",
    "Date of Purchase": "2021-03-22",
    "Ticket Type": "Technical issue",
    "Ticket Subject": "Product setup",
    "Ticket Description": 'My {product_purchased} says "no", and then\n\nnothing.',
    "Ticket Status": "Closed",
    "Resolution": "Turn the {product_purchased} on.",
    "Ticket Priority": "Critical",
    "Ticket Channel": "Social media",
    "First Response Time": "2023-06-01 07:29:40",
    "Time to Resolution": "2023-06-01 01:57:40",
    "Customer Satisfaction Rating": "3.0",
}

OPEN = CLOSED | {
    "Ticket ID": "2",
    "Customer Email": "ben@example.com",
    "Customer Name": "Ben",
    "Ticket Status": "Open",
    "Resolution": "",
    "First Response Time": "",
    "Time to Resolution": "",
    "Customer Satisfaction Rating": "",
}


def example_map() -> ColumnMap:
    return load_column_map(EXAMPLE)


def numbered(count: int) -> list[dict[str, str]]:
    """That many open tickets of as many people."""
    return [OPEN | {"Ticket ID": str(n), "Customer Email": f"person{n}@example.com"} for n in range(1, count + 1)]


def write_csv(
    path: Path, rows: Iterable[dict[str, str]], *, encoding: str = "utf-8", columns: list[str] = COLUMNS
) -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    return path
