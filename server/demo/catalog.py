"""What the vendor sells, and what can be asked of its support."""

from datetime import date, timedelta

from domain.enums import Confidentiality
from domain.shipped import ACCOUNT, SHIPPED_TYPES, ShippedType
from domain.words import Text
from models import Product, ProductUpdate, ProductVersion
from resolvers.catalog import enter

INCENTIVES = ShippedType(
    "INCENTIVES",
    ACCOUNT,
    Text("Incentives and rewards"),
    Text("Programme manager"),
    classifications=(Text("Claim"), Text("Payout")),
    issue_types=(Text("Missing reward"),),
    default_confidentiality=Confidentiality.AUTHOR_ONLY,
)
"""A type that only its author and staff see (S07)."""

PRODUCTS: dict[str, dict[str, list[str]]] = {
    "Orba Bar 2": {"2.4": ["2.4.1", "2.4.2"], "2.5": ["2.5.0", "2.5.1"]},
    "Orba Bar Mini": {"1.9": []},
    "Orba Panel 10": {"3.0": ["3.0.4"], "3.1": ["3.1.0"]},
    "Orba Table Mic": {"1.2": []},
    "Orba Desk Cam": {"4.0": []},
    "Orba Rooms": {"5.1": ["5.1.3"], "5.2": ["5.2.0", "5.2.1"]},
    "Orba Fleet": {"2026.2": []},
}
"""Versions of each product, the oldest first, and their updates."""


async def add_products(today: date) -> None:
    """A product that is there already, of an import perhaps, is used again."""
    for product_name, versions in PRODUCTS.items():
        product, _ = await Product.get_or_create(name=product_name)
        for age, (version_name, updates) in enumerate(reversed(versions.items())):
            version, _ = await ProductVersion.get_or_create(
                product_id=product.id,
                name=version_name,
                defaults={"supported_until": today + timedelta(days=400 - 420 * age)},
            )
            for place, update in enumerate(reversed(updates)):
                released = today - timedelta(days=30 + 300 * age + 45 * place)
                await ProductUpdate.get_or_create(
                    version_id=version.id, name=update, defaults={"released_at": released}
                )


async def add_request_types() -> None:
    """The shipped request types, and one of this vendor's own."""
    for shipped in (*SHIPPED_TYPES, INCENTIVES):
        await enter(shipped)
