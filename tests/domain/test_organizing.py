"""What an organization may choose for itself."""

from datetime import UTC, date, datetime, timedelta

import pytest

from domain.errors import Invalid
from domain.organizing import MOST_DOMAINS, history_from, mail_domains

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def test_history_begins_with_the_day_in_utc() -> None:  # S12
    assert history_from(date(2019, 7, 15), now=NOW) == datetime(2019, 7, 15, tzinfo=UTC)
    assert history_from(None, now=NOW) is None


def test_history_may_begin_today_and_not_tomorrow() -> None:  # S12
    assert history_from(NOW.date(), now=NOW) == datetime(2026, 3, 2, tzinfo=UTC)
    with pytest.raises(Invalid, match="after today"):
        history_from(NOW.date() + timedelta(days=1), now=NOW)


def test_domains_are_kept_once_in_lower_case_and_in_their_order() -> None:
    assert mail_domains([" Acme.Example", "b.example", "acme.example"]) == ["acme.example", "b.example"]
    assert mail_domains([]) == []
    assert mail_domains(["москва.рф", "xn--80adxhks.xn--p1ai"]) == ["москва.рф", "xn--80adxhks.xn--p1ai"]


@pytest.mark.parametrize(
    "wrong", ["", "acme", "@acme.example", "acme..example", "a b.example", ".example", "x." * 127 + "x", "-a.example"]
)
def test_what_is_no_domain_is_refused(wrong: str) -> None:
    with pytest.raises(Invalid, match="Give a domain") as refused:
        mail_domains(["acme.example", wrong])
    assert refused.value.field == ("domains",)


def test_there_are_at_most_a_hundred_domains() -> None:
    many = [f"d{n}.example" for n in range(MOST_DOMAINS + 1)]

    assert len(mail_domains(many[:-1])) == MOST_DOMAINS
    with pytest.raises(Invalid, match="At most 100 domains"):
        mail_domains(many)
