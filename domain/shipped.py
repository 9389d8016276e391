"""What a new installation can be asked for, until its administrators change it (S17)."""

from dataclasses import dataclass

from domain.enums import CertificateKind, Confidentiality

PRODUCTS, SERVICES, ACCOUNT = "Product support", "Professional services", "Account and portal"


@dataclass(frozen=True, slots=True)
class ShippedType:
    key: str
    project: str
    name: str
    handler_label: str
    required_certificate_kind: CertificateKind | None = None
    required_fields: tuple[str, ...] = ()
    classifications: tuple[str, ...] = ()
    issue_types: tuple[str, ...] = ()
    with_appointments: tuple[str, ...] = ()
    default_confidentiality: Confidentiality = Confidentiality.ORGANIZATION


SHIPPED_TYPES = (
    ShippedType(
        "TECHNICAL",
        PRODUCTS,
        "Technical support",
        "Support engineer",
        CertificateKind.TECHNICAL_SUPPORT,
        ("productId", "productVersionId", "productUpdateId", "certificateId"),
        ("Malfunction", "Product consultation", "Updates"),
        ("Video", "Audio", "Network", "Calendar"),
        ("Calendar",),
    ),
    ShippedType(
        "SERVICES",
        SERVICES,
        "Professional services",
        "Service manager",
        CertificateKind.SERVICES,
        ("certificateId", "classificationId"),
        ("Installation", "Room design", "Training"),
        ("On site", "Remote"),
        ("On site", "Remote"),
    ),
    ShippedType(
        "COMMERCIAL",
        ACCOUNT,
        "Orders and licences",
        "Account manager",
        classifications=("Quote", "Renewal"),
        issue_types=("Delivery", "Invoice", "Licence"),
    ),
    ShippedType(
        "PORTAL",
        ACCOUNT,
        "Help with this portal",
        "Portal support",
        classifications=("Sign-in", "Inventory"),
        issue_types=("Access", "Data"),
    ),
)
"""Source: S17 (kinds and handlers), S18 (certificate of SERVICES), S19 and S20 (what each needs)."""
