"""Bringing history in from files (J10)."""

from server.importers.column_map import ColumnMap, ImportRefused, load_column_map
from server.importers.csv_import import BATCH_SIZE, ImportSummary, import_csv

__all__ = ["BATCH_SIZE", "ColumnMap", "ImportRefused", "ImportSummary", "import_csv", "load_column_map"]
