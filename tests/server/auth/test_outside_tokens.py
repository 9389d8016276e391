"""Tokens of an outside identity provider, and every way in which one is refused: always with the same words."""

import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

import models
from domain.errors import Unauthenticated
from server.auth.access import AccessTokens
from server.auth.authenticator import Authenticator
from server.auth.jwks import KeySource
from server.auth.outside import OutsideTokens
from tests.server.auth.helpers import Clock, make_user
from tests.server.auth.test_access_tokens import SAME_ANSWER, segment

pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings("ignore:EdDSA is deprecated")]

ISSUER, AUDIENCE = "https://login.example.com/", "casewire-portal"

RSA = RSAKey.generate_key(2048, {"kid": "rsa"})
PS_ONLY = RSAKey.generate_key(2048, {"kid": "ps", "alg": "PS256"})
EC = ECKey.generate_key("P-256", {"kid": "ec"})
ED = OKPKey.generate_key("Ed25519", {"kid": "ed"})
STRANGER = RSAKey.generate_key(2048, {"kid": "rsa"})


@pytest.fixture
def authenticator(access: AccessTokens, clock: Clock) -> Authenticator:
    published = json.dumps({"keys": [key.as_dict(private=False) for key in (RSA, PS_ONLY, EC, ED)]}).encode()
    keys = KeySource("https://login.example.com/keys", fetch=lambda url: published, now=clock)
    return Authenticator(access, OutsideTokens(keys, issuer=ISSUER, audience=AUDIENCE, now=clock))


async def refusal(authenticator: Authenticator, token: str) -> tuple[str, str]:
    with pytest.raises(Unauthenticated) as caught:
        await authenticator(token)
    assert caught.value.__cause__ is None
    return caught.value.code, caught.value.message


def claims_of(email: str, clock: Clock, /, **changes: Any) -> dict[str, Any]:
    """Good claims with `changes`; a claim changed to None is left out."""
    issued = int(clock().timestamp())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "exp": issued + 600, "email": email, "email_verified": True}
    return {name: value for name, value in {**claims, **changes}.items() if value is not None}


def signed(claims: dict[str, Any], *, key: Key = RSA, alg: str = "RS256", **header: Any) -> str:
    return jwt.encode({"alg": alg, "kid": key.kid, **header}, claims, key, algorithms=[alg])


@pytest.mark.parametrize(
    ("key", "alg"), [(RSA, "RS256"), (RSA, "PS256"), (PS_ONLY, "PS256"), (EC, "ES256"), (ED, "EdDSA")]
)
async def test_a_token_speaks_for_the_account_with_its_address(
    authenticator: Authenticator, ann: models.User, clock: Clock, key: Key, alg: str
) -> None:
    viewer = await authenticator(signed(claims_of("Ann@Example.COM", clock), key=key, alg=alg))

    assert viewer.user_id == ann.id
    assert viewer.expires_at == clock() + timedelta(minutes=10, seconds=30)


async def test_our_own_tokens_still_work_beside_it(
    authenticator: Authenticator, access: AccessTokens, ann: models.User
) -> None:
    assert (await authenticator(access.mint(ann.id))).user_id == ann.id


@pytest.mark.parametrize("aud", [AUDIENCE, [AUDIENCE], ["other", AUDIENCE]])
async def test_the_audience_may_be_one_of_several(
    authenticator: Authenticator, ann: models.User, clock: Clock, aud: object
) -> None:
    assert (await authenticator(signed(claims_of(ann.email, clock, aud=aud)))).user_id == ann.id


@pytest.mark.parametrize("typ", ["JWT", "jwt", "at+jwt", "application/at+jwt"])
async def test_usual_types_are_taken(authenticator: Authenticator, ann: models.User, clock: Clock, typ: str) -> None:
    assert (await authenticator(signed(claims_of(ann.email, clock), typ=typ))).user_id == ann.id


async def test_clocks_may_be_half_a_minute_apart(authenticator: Authenticator, ann: models.User, clock: Clock) -> None:
    now = int(clock().timestamp())
    ahead = signed(claims_of(ann.email, clock, nbf=now + 30, iat=now + 30))
    behind = signed(claims_of(ann.email, clock, exp=now - 29))

    assert (await authenticator(ahead)).expires_at == clock() + timedelta(minutes=10, seconds=30)
    assert (await authenticator(behind)).expires_at == clock() + timedelta(seconds=1)


NOW = 1_793_611_800  # where the clock of these tests stands

WRONG_CLAIMS = {
    "of another issuer": {"iss": "https://login.example.com"},
    "whose issuer is a list": {"iss": [ISSUER]},
    "without issuer": {"iss": None},
    "for another audience": {"aud": "casewire-portal-2"},
    "for nobody": {"aud": []},
    "without audience": {"aud": None},
    "expired by more than the leeway": {"exp": NOW - 30},
    "without expiry": {"exp": None},
    "whose expiry is text": {"exp": "1793612400"},
    "for more than a day": {"exp": NOW + 24 * 3600 + 31},
    "not yet valid": {"nbf": NOW + 31},
    "issued in the future": {"iat": NOW + 31},
    "of an unknown person": {"email": "eve@example.com"},
    "of an unverified address": {"email_verified": False},
    "that does not say whether the address is verified": {"email_verified": None},
    "whose address is verified only in words": {"email_verified": "true"},
    "whose address is verified by a number": {"email_verified": 1},
    "without address": {"email": None},
    "whose address is a list": {"email": ["ann@example.com"]},
    "whose address hides a control character": {"email": "ann@example.com\x00"},
}


@pytest.mark.parametrize("changes", WRONG_CLAIMS.values(), ids=WRONG_CLAIMS.keys())
async def test_a_token_is_refused(
    authenticator: Authenticator, ann: models.User, clock: Clock, changes: dict[str, Any]
) -> None:
    assert (await authenticator(signed(claims_of(ann.email, clock)))).user_id == ann.id

    assert await refusal(authenticator, signed(claims_of(ann.email, clock, **changes))) == SAME_ANSWER


def by_hand(header: dict[str, Any], claims: dict[str, Any], secret: bytes) -> str:
    """Signed by HMAC, which a library would refuse to do with a public key."""
    signing_input = f"{segment(header)}.{segment(claims)}"
    signature = hmac.digest(secret, signing_input.encode(), hashlib.sha256)
    return f"{signing_input}.{OctKey.import_key(signature).as_dict()['k']}"


Forge = Callable[[dict[str, Any]], str]

FORGERIES: dict[str, Forge] = {
    "with alg none": lambda claims: f"{segment({'alg': 'none', 'kid': 'rsa'})}.{segment(claims)}.",
    "whose public key was taken for a secret": lambda claims: by_hand(
        {"alg": "HS256", "kid": "rsa"}, claims, RSA.as_pem(private=False)
    ),
    "signed by a stranger under a known name": lambda claims: signed(claims, key=STRANGER),
    "with the name of another key": lambda claims: signed(claims, kid="ec"),
    "with an unknown key name": lambda claims: signed(claims, kid="gone"),
    "without a key name": lambda claims: jwt.encode({"alg": "RS256"}, claims, RSA, algorithms=["RS256"]),
    "with an algorithm off the list": lambda claims: signed(claims, alg="RS512"),
    "with an algorithm its key is not for": lambda claims: signed(
        claims, key=RSAKey.import_key({**PS_ONLY.as_dict(private=True), "alg": "RS256"}), alg="RS256"
    ),
    "with its own key": lambda claims: signed(claims, key=STRANGER, jwk=STRANGER.as_dict(private=False)),
    "with the address of its own key": lambda claims: signed(claims, jku="https://login.example.com/keys"),
    "with its own certificate": lambda claims: signed(claims, x5c=["AA=="]),
    "with a critical extension": lambda claims: signed(claims, b64=True, crit=["b64"]),
    "of another type": lambda claims: signed(claims, typ="logout+jwt"),
    "without signature": lambda claims: signed(claims).rpartition(".")[0] + ".",
    "signed as ours": lambda claims: by_hand(
        {"alg": "HS256", "typ": "at+jwt"}, {**claims, "iss": "casewire"}, RSA.as_pem(private=False)
    ),
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES.keys())
async def test_a_forgery_is_refused(authenticator: Authenticator, ann: models.User, clock: Clock, forge: Forge) -> None:
    assert await refusal(authenticator, forge(claims_of(ann.email, clock))) == SAME_ANSWER


async def test_an_account_that_was_switched_off_is_refused(
    authenticator: Authenticator, ann: models.User, clock: Clock
) -> None:
    ann.is_active = False
    await ann.save()

    assert await refusal(authenticator, signed(claims_of(ann.email, clock))) == SAME_ANSWER


async def test_without_a_provider_its_tokens_are_refused(access: AccessTokens, ann: models.User, clock: Clock) -> None:
    assert await refusal(Authenticator(access), signed(claims_of(ann.email, clock))) == SAME_ANSWER


async def test_an_account_without_a_password_can_come_in_this_way(
    authenticator: Authenticator, db: None, clock: Clock
) -> None:
    bob = await make_user("bob@example.com", clock, password=None)

    assert (await authenticator(signed(claims_of("bob@example.com", clock)))).user_id == bob.id


strange = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.lists(st.text(max_size=3))


@given(
    header=st.fixed_dictionaries(
        {
            "alg": st.sampled_from(["RS256", "PS256", "ES256", "EdDSA", "HS256", "none"]) | strange,
            "kid": st.sampled_from(["rsa", "ps", "ec", "ed"]) | strange,
        },
        optional=dict.fromkeys(("typ", "x5t", "crit", "b64", "jwk"), strange),
    )
)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_header_whatsoever_raises_anything_else(authenticator: Authenticator, header: object) -> None:
    token = f"{segment(header)}.{segment({'iss': ISSUER})}.AA"

    assert await refusal(authenticator, token) == SAME_ANSWER
