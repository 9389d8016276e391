"""What a new installation can be asked for, until its administrators change it (S17).

It is stored under its English names; what administrators have not renamed is shown in the reader's language.
"""

from dataclasses import dataclass

from domain.enums import CertificateKind, Confidentiality
from domain.words import Text

PRODUCTS = Text("Product support")
SERVICES = Text("Professional services")
ACCOUNT = Text("Account and portal")


@dataclass(frozen=True, slots=True)
class ShippedType:
    key: str
    project: Text
    name: Text
    handler_label: Text
    required_certificate_kind: CertificateKind | None = None
    required_fields: tuple[str, ...] = ()
    classifications: tuple[Text, ...] = ()
    issue_types: tuple[Text, ...] = ()
    with_appointments: tuple[Text, ...] = ()
    default_confidentiality: Confidentiality = Confidentiality.ORGANIZATION


SHIPPED_TYPES = (
    ShippedType(
        "TECHNICAL",
        PRODUCTS,
        Text("Technical support"),
        Text("Support engineer"),
        CertificateKind.TECHNICAL_SUPPORT,
        ("productId", "productVersionId", "productUpdateId", "certificateId"),
        (Text("Malfunction"), Text("Product consultation"), Text("Updates")),
        (Text("Video"), Text("Audio"), Text("Network"), Text("Calendar")),
        (Text("Calendar"),),
    ),
    ShippedType(
        "SERVICES",
        SERVICES,
        Text("Professional services"),
        Text("Service manager"),
        CertificateKind.SERVICES,
        ("certificateId", "classificationId"),
        (Text("Installation"), Text("Room design"), Text("Training")),
        (Text("On site"), Text("Remote")),
        (Text("On site"), Text("Remote")),
    ),
    ShippedType(
        "COMMERCIAL",
        ACCOUNT,
        Text("Orders and licences"),
        Text("Account manager"),
        classifications=(Text("Quote"), Text("Renewal")),
        issue_types=(Text("Delivery"), Text("Invoice"), Text("Licence")),
    ),
    ShippedType(
        "PORTAL",
        ACCOUNT,
        Text("Help with this portal"),
        Text("Portal support"),
        classifications=(Text("Sign-in"), Text("Inventory")),
        issue_types=(Text("Access"), Text("Data")),
    ),
)
"""Source: S17 (kinds and handlers), S18 (certificate of SERVICES), S19 and S20 (what each needs)."""

_BY_NAME = {
    str(each): each
    for kind in SHIPPED_TYPES
    for each in (kind.project, kind.name, kind.handler_label, *kind.classifications, *kind.issue_types)
}


def called(language: str, name: str) -> str:
    """What is shown for a name of the catalogue: of what is shipped its translation, else what was written (S42)."""
    shipped = _BY_NAME.get(name)
    return shipped.in_(language) if shipped else name
