"""Numbers of references, without gaps that a person would wonder about: a rollback gives them back."""

from models.database import writer


async def next_number(series: str, count: int = 1) -> int:
    """The next number of a series, the first of `count` taken; called inside a unit of work, it locks the series."""
    rows = await writer().execute_query_dict(
        f"INSERT INTO counter (name, value) VALUES ('{series}', {count}) "
        f"ON CONFLICT (name) DO UPDATE SET value = counter.value + {count} RETURNING value"
    )
    last: int = rows[0]["value"]
    return last - count + 1
