"""Our own access tokens, and every way in which one is refused: always with the same words."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import OctKey

import models
from domain.errors import Unauthenticated
from domain.policy import ANONYMOUS
from server.auth.access import AccessTokens
from server.auth.authenticator import Authenticator, bearer_token
from server.auth.jwt import MAX_LIFETIME, peek
from tests.server.auth.helpers import Clock, make_user

pytestmark = pytest.mark.anyio

KEY = OctKey.import_key(b"k" * 32)


async def refusal(access: AccessTokens, token: str | None) -> tuple[str, str]:
    """What the client of a refused token is told: the code and the message."""
    with pytest.raises(Unauthenticated) as caught:
        await Authenticator(access)(token)
    assert caught.value.__cause__ is None
    return caught.value.code, caught.value.message


SAME_ANSWER = ("UNAUTHENTICATED", "Sign in and send a valid bearer token.")


def claims_of(user_id: UUID, clock: Clock, **changes: Any) -> dict[str, Any]:
    """Good claims with `changes`; a claim changed to None is left out."""
    issued = int(clock().timestamp())
    claims = {"iss": "casewire", "aud": "casewire", "sub": str(user_id), "iat": issued, "exp": issued + 900, "jti": "x"}
    return {name: value for name, value in {**claims, **changes}.items() if value is not None}


def signed(claims: dict[str, Any], *, key: OctKey = KEY, **header: Any) -> str:
    header = {"alg": "HS256", "typ": "at+jwt", **header}
    return jwt.encode(header, claims, key, algorithms=[header["alg"]])


def segment(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


async def test_a_token_speaks_for_its_user_until_it_expires(
    access: AccessTokens, ann: models.User, clock: Clock
) -> None:
    token = access.mint(ann.id)

    viewer = await Authenticator(access)(token)

    assert viewer.user_id == ann.id
    assert viewer.expires_at == clock() + timedelta(minutes=15)


async def test_it_works_in_the_last_second_and_not_at_its_end(
    access: AccessTokens, ann: models.User, clock: Clock
) -> None:
    token = access.mint(ann.id)

    clock.advance(minutes=15, seconds=-1)
    assert (await Authenticator(access)(token)).user_id == ann.id

    clock.advance(seconds=1)
    assert await refusal(access, token) == SAME_ANSWER


async def test_no_token_is_nobody(access: AccessTokens) -> None:
    assert await Authenticator(access)(None) is ANONYMOUS


async def test_a_token_made_by_a_server_whose_clock_is_ahead_works(
    access: AccessTokens, ann: models.User, clock: Clock
) -> None:
    clock.advance(seconds=20)
    token = access.mint(ann.id)
    clock.advance(seconds=-20)

    assert (await Authenticator(access)(token)).user_id == ann.id


WRONG_CLAIMS = {
    "of another issuer": {"iss": "someone"},
    "for another audience": {"aud": "someone"},
    "of the distant future": {"iat": 2_000_000_000, "exp": 2_000_000_900},
    "not yet valid": {"nbf": 2_000_000_000},
    "for a hundred years": {"exp": 5_000_000_000},
    "expired before it was issued": {"iat": 1_793_611_810, "exp": 1_793_611_805},
    "without expiry": {"exp": None},
    "without time of issue": {"iat": None},
    "without subject": {"sub": None},
    "without audience": {"aud": None},
    "without id": {"jti": None},
    "without issuer": {"iss": None},
    "with a claim we never make": {"scope": "admin"},
    "whose expiry is no number": {"exp": "2000000000"},
    "whose expiry is true": {"exp": True},
    "whose expiry is not finite": {"exp": float("nan")},
    "whose subject is no user id": {"sub": "ann"},
    "whose subject is no text": {"sub": 7},
}


@pytest.mark.parametrize("changes", WRONG_CLAIMS.values(), ids=WRONG_CLAIMS.keys())
async def test_a_token_is_refused(
    access: AccessTokens, ann: models.User, clock: Clock, changes: dict[str, Any]
) -> None:
    good, bad = claims_of(ann.id, clock), claims_of(ann.id, clock, **changes)
    assert (await Authenticator(access)(signed(good))).user_id == ann.id

    assert await refusal(access, signed(bad)) == SAME_ANSWER


Forge = Callable[[dict[str, Any]], str]

FORGERIES: dict[str, Forge] = {
    "signed with another key": lambda claims: signed(claims, key=OctKey.import_key(b"x" * 32)),
    "signed by HS512": lambda claims: signed(claims, alg="HS512"),
    "of another type": lambda claims: signed(claims, typ="JWT"),
    "with a key name": lambda claims: signed(claims, kid="1"),
    "with its own key": lambda claims: signed(claims, jwk={"kty": "oct", "k": "a2tr"}),
    "with alg none": lambda claims: f"{segment({'alg': 'none', 'typ': 'at+jwt'})}.{segment(claims)}.",
    "with alg None": lambda claims: f"{segment({'alg': None})}.{segment(claims)}.",
    "with an alg that is a list": lambda claims: f"{segment({'alg': ['HS256']})}.{segment(claims)}.AA",
    "without signature": lambda claims: signed(claims).rpartition(".")[0] + ".",
    "with two parts": lambda claims: signed(claims).rpartition(".")[0],
    "with four parts": lambda claims: signed(claims) + ".AA",
    "with a header that is a list": lambda claims: f"{segment([])}.{segment(claims)}.AA",
    "with claims that are a list": lambda claims: f"{segment({'alg': 'HS256'})}.{segment([claims])}.AA",
    "nested a thousand deep": lambda claims: f"{base64.urlsafe_b64encode(b'[' * 3000).decode()}.AA.AA",
    "of 9000 bytes": lambda claims: signed({**claims, "jti": "x" * 9000}),
    "in letters beyond ASCII": lambda claims: "é.é.é",
    "that is empty": lambda claims: "",
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES.keys())
async def test_a_forgery_is_refused(access: AccessTokens, ann: models.User, clock: Clock, forge: Forge) -> None:
    assert await refusal(access, forge(claims_of(ann.id, clock))) == SAME_ANSWER


async def test_changing_one_letter_spoils_a_token(access: AccessTokens, ann: models.User, clock: Clock) -> None:
    header, _, signature = signed(claims_of(ann.id, clock)).split(".")
    someone_else = segment(claims_of(uuid4(), clock))

    assert await refusal(access, f"{header}.{someone_else}.{signature}") == SAME_ANSWER


async def test_the_account_must_exist_and_be_active(access: AccessTokens, ann: models.User, clock: Clock) -> None:
    bob = await make_user("bob@example.com", clock)
    bob.is_active = False
    await bob.save()

    assert await refusal(access, access.mint(bob.id)) == SAME_ANSWER
    assert await refusal(access, access.mint(uuid4())) == SAME_ANSWER


@given(token=st.text() | st.from_regex(r"[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,8}", fullmatch=True))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_text_whatsoever_raises_anything_else(access: AccessTokens, token: str) -> None:
    assert await refusal(access, token) == SAME_ANSWER


@given(
    header=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["alg", "typ", "kid", "crit", "b64"]), inner, max_size=5)
        ),
        max_leaves=6,
    )
)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_header_whatsoever_raises_anything_else(access: AccessTokens, header: object) -> None:
    token = f"{segment(header)}.{segment({'iss': 'casewire'})}.AA"

    assert await refusal(access, token) == SAME_ANSWER


@pytest.mark.parametrize("ttl", [timedelta(), timedelta(seconds=-1), MAX_LIFETIME + timedelta(seconds=1)])
def test_no_token_is_minted_that_would_be_refused(access: AccessTokens, ttl: timedelta) -> None:
    with pytest.raises(ValueError, match="lasts between a second and"):
        access.mint(uuid4(), ttl)


async def test_the_longest_token_that_is_minted_works(access: AccessTokens, ann: models.User, clock: Clock) -> None:
    viewer = await Authenticator(access)(access.mint(ann.id, MAX_LIFETIME))

    assert viewer.expires_at == clock() + MAX_LIFETIME


def test_every_token_has_its_own_id(access: AccessTokens) -> None:
    user_id = uuid4()

    assert peek(access.mint(user_id)).claims["jti"] != peek(access.mint(user_id)).claims["jti"]


def test_the_key_is_not_in_the_repr(access: AccessTokens) -> None:
    assert "kkkk" not in repr(access)


@pytest.mark.parametrize(
    ("header", "token"),
    [(None, None), ("Bearer a.b.c", "a.b.c"), ("bearer  a.b.c ", "a.b.c"), ("BEARER a.b.c", "a.b.c")],
)
def test_the_token_is_what_follows_bearer(header: str | None, token: str | None) -> None:
    assert bearer_token(header) == token


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer  ", "Basic YW5uOnB3", "a.b.c"])
def test_another_scheme_is_not_taken_for_no_token(header: str) -> None:
    with pytest.raises(Unauthenticated):
        bearer_token(header)
