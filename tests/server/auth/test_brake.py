"""Ten wrong passwords in five minutes, then a pause."""

from datetime import timedelta

from server.auth.brake import Attempt, Brake
from tests.server.auth.helpers import Clock

ANN = Attempt("192.0.2.1", "ann@example.com")


def take(brake: Brake, clock: Clock, attempt: Attempt = ANN, *, times: int = 1) -> list[timedelta | None]:
    return [brake.take(attempt, clock()) for _ in range(times)]


def test_the_eleventh_attempt_waits_until_the_first_is_five_minutes_old(clock: Clock) -> None:
    brake = Brake()
    assert take(brake, clock) == [None]
    clock.advance(minutes=1)
    assert take(brake, clock, times=9) == [None] * 9

    assert take(brake, clock) == [timedelta(minutes=4)]

    clock.advance(minutes=4)
    assert take(brake, clock, times=2) == [None, timedelta(minutes=1)]


def test_what_was_turned_away_does_not_count(clock: Clock) -> None:
    brake = Brake()
    take(brake, clock, times=10)
    clock.advance(minutes=4)
    take(brake, clock, times=50)

    clock.advance(minutes=1)

    assert take(brake, clock, times=10) == [None] * 10


def test_a_right_password_forgives_the_wrong_ones(clock: Clock) -> None:
    brake = Brake()
    take(brake, clock, times=10)

    brake.forgive(ANN)

    assert take(brake, clock, times=10) == [None] * 10


def test_another_address_or_another_email_is_free(clock: Clock) -> None:
    brake = Brake()
    take(brake, clock, times=11)

    assert take(brake, clock, Attempt("192.0.2.2", ANN.email)) == [None]
    assert take(brake, clock, Attempt(ANN.address, "bob@example.com")) == [None]


def test_the_one_tried_longest_ago_is_forgotten_first(clock: Clock) -> None:
    brake = Brake(max_keys=2)
    bob, eve = Attempt(ANN.address, "bob@example.com"), Attempt(ANN.address, "eve@example.com")
    take(brake, clock, bob, times=10)
    take(brake, clock, ANN, times=10)

    take(brake, clock, eve)

    assert take(brake, clock, ANN) == [timedelta(minutes=5)]
    assert take(brake, clock, bob) == [None]
