"""What the vendor sells, and what can be asked of its support."""

from datetime import date, timedelta

from domain.enums import CertificateKind, Confidentiality
from models import Classification, IssueType, Product, ProductUpdate, ProductVersion, RequestType, SupportProject

DEVICES, PROGRAMMES = "Rooms and devices", "Customer programmes"

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

REQUEST_TYPES: dict[str, tuple[str, str, str, list[str], list[str]]] = {
    "TECHNICAL": (
        DEVICES,
        "Technical support",
        "Support engineer",
        ["Malfunction", "Product consultation", "Updates"],
        ["Video", "Audio", "Network", "Calendar"],
    ),
    "SERVICES": (
        DEVICES,
        "Professional services",
        "Service manager",
        ["Installation", "Room design", "Training"],
        ["On site", "Remote"],
    ),
    "COMMERCIAL": (
        PROGRAMMES,
        "Orders and licences",
        "Account manager",
        ["Quote", "Renewal"],
        ["Delivery", "Invoice", "Licence"],
    ),
    "PORTAL": (
        PROGRAMMES,
        "Help with this portal",
        "Portal support",
        ["Sign-in", "Inventory"],
        ["Access", "Data"],
    ),
    "INCENTIVES": (
        PROGRAMMES,
        "Incentives and rewards",
        "Programme manager",
        ["Claim", "Payout"],
        ["Missing reward"],
    ),
}
"""By key: project, name, handler, classifications, issue types (S17)."""

WITH_APPOINTMENTS = {"On site", "Remote", "Calendar"}


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
    """The shipped request types, and one that only its author and staff see (S07)."""
    for key, (project_name, name, handler, classifications, issue_types) in REQUEST_TYPES.items():
        project, _ = await SupportProject.get_or_create(name=project_name)
        request_type, _ = await RequestType.get_or_create(
            key=key,
            defaults={
                "project_id": project.id,
                "name": name,
                "handler_label": handler,
                "required_certificate_kind": CertificateKind.SERVICES if key == "SERVICES" else None,
                "default_confidentiality": Confidentiality.AUTHOR_ONLY
                if key == "INCENTIVES"
                else Confidentiality.ORGANIZATION,
            },
        )
        for label in classifications:
            await Classification.get_or_create(request_type_id=request_type.id, name=label)
        for label in issue_types:
            await IssueType.get_or_create(
                request_type_id=request_type.id,
                name=label,
                defaults={"appointments_available": label in WITH_APPOINTMENTS},
            )
