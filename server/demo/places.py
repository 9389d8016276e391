"""What the organizations have: buildings with rooms and desks, devices in them, certificates and licences."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from domain.enums import CertificateKind, ServiceLevel
from models import Device, Organization, Product, ServiceCertificate, ServiceLicense, Space, SpaceGroup, SpaceKind
from server.demo.people import BANK, HOTELS, PARTNER


@dataclass(frozen=True, slots=True)
class Place:
    """A room (with seats) or a desk, the devices in it as (product, serial number), and the plan that covers it."""

    name: str
    devices: tuple[tuple[str, str], ...]
    seats: int | None = None
    plan: ServiceLevel | None = None


GROUPS: dict[str, dict[str, dict[str, list[Place]]]] = {
    HOTELS: {
        "Zermatt": {
            "Conference floor": [
                Place(
                    "Matterhorn",
                    (("Orba Bar 2", "OB2-48A1"), ("Orba Panel 10", "OP10-7C02"), ("Orba Table Mic", "OTM-1190")),
                    24,
                    ServiceLevel.SELECT,
                ),
                Place(
                    "Weisshorn", (("Orba Bar 2", "OB2-48A2"), ("Orba Table Mic", "OTM-1191")), 12, ServiceLevel.SELECT
                ),
                Place("Lyskamm", (("Orba Bar Mini", "OBM-2203"),), 6),
            ],
            "Reception": [Place("Reception desk", (("Orba Desk Cam", "ODC-5510"),), None, ServiceLevel.ESSENTIAL)],
        },
        "Lisbon": {
            "Riverside": [
                Place("Tejo", (("Orba Bar 2", "OB2-51F0"), ("Orba Panel 10", "OP10-7C11")), 16, ServiceLevel.ESSENTIAL),
                Place("Belém", (("Orba Bar Mini", "OBM-2210"),), 6),
            ]
        },
    },
    PARTNER: {
        "Brussels": {
            "Showroom": [
                Place("Demo room", (("Orba Bar 2", "OB2-60B7"), ("Orba Panel 10", "OP10-8001")), 8),
                Place("Chloé's desk", (("Orba Desk Cam", "ODC-6001"),)),
            ]
        }
    },
    BANK: {
        "Frankfurt": {
            "Tower, level 31": [
                Place(
                    "Board room", (("Orba Bar 2", "OB2-70C1"), ("Orba Table Mic", "OTM-2001")), 20, ServiceLevel.SELECT
                ),
                Place("Huddle 31-2", (("Orba Bar Mini", "OBM-3001"),), 4),
            ],
            "Tower, level 12": [
                Place("Trading floor 1", (("Orba Panel 10", "OP10-9100"),), 40, ServiceLevel.ESSENTIAL)
            ],
        }
    },
}
"""By organization: sites, the parts of each, and the places in each part."""

CERTIFICATES: dict[str, list[tuple[str, CertificateKind, int, int]]] = {
    HOTELS: [
        ("TS-2041", CertificateKind.TECHNICAL_SUPPORT, -200, 165),
        ("SV-0907", CertificateKind.SERVICES, -90, 275),
    ],
    PARTNER: [
        ("TS-2090", CertificateKind.TECHNICAL_SUPPORT, -150, 215),
        ("UP-3310", CertificateKind.UPDATES, -300, 65),
    ],
    BANK: [
        ("TS-2077", CertificateKind.TECHNICAL_SUPPORT, -120, 245),
        ("SV-0311", CertificateKind.SERVICES, -760, -30),
        ("TR-1004", CertificateKind.TRAINING, -400, -35),
    ],
}
"""By organization: number, kind, and the first and last day from today; two have expired."""

SUPPORT = {HOTELS: "TS-2041", PARTNER: "TS-2090", BANK: "TS-2077"}
"""The certificate that each organization's technical requests go by."""


async def add_places(companies: dict[str, Organization], now: datetime) -> None:
    today = now.date()
    for company, sites in GROUPS.items():
        organization = companies[company]
        for site, parts in sites.items():
            parent = await SpaceGroup.create(organization=organization, name=site)
            for part, places in parts.items():
                group = await SpaceGroup.create(organization=organization, parent=parent, name=part)
                for place in places:
                    await _add_place(organization, group, place, today, now)
    # One plan that waits to be assigned, and one that has run out.
    hotels = companies[HOTELS]
    lyskamm = await Space.get(organization_id=hotels.id, name="Lyskamm")
    await _add_licence(hotels, None, ServiceLevel.ESSENTIAL, today - timedelta(days=14), now)
    await _add_licence(hotels, lyskamm, ServiceLevel.ESSENTIAL, today - timedelta(days=400), now)


async def add_certificates(companies: dict[str, Organization], today: date) -> None:
    products = await Product.filter(name__startswith="Orba ").order_by("name")
    for company, certificates in CERTIFICATES.items():
        for number, kind, first, last in certificates:
            certificate = await ServiceCertificate.create(
                organization=companies[company],
                number=number,
                kind=kind,
                starts_at=today + timedelta(days=first),
                ends_at=today + timedelta(days=last),
            )
            await certificate.products.add(*products)


async def _add_place(organization: Organization, group: SpaceGroup, place: Place, today: date, now: datetime) -> None:
    kind = SpaceKind.ROOM if place.seats else SpaceKind.DESK
    space = await Space.create(organization=organization, group=group, kind=kind, name=place.name, capacity=place.seats)
    for product_name, serial_number in place.devices:
        await Device.create(
            organization=organization,
            product=await Product.get(name=product_name),
            space=space,
            name=f"{product_name} ({place.name})",
            serial_number=serial_number,
            firmware_version="2.4.2" if product_name == "Orba Bar 2" else None,
        )
    if place.plan:
        await _add_licence(organization, space, place.plan, today - timedelta(days=120), now)


async def _add_licence(
    organization: Organization, space: Space | None, level: ServiceLevel, first: date, now: datetime
) -> None:
    """A plan of one year."""
    await ServiceLicense.create(
        organization=organization,
        space=space,
        level=level,
        starts_at=first,
        ends_at=first + timedelta(days=365),
        created_at=now - timedelta(days=(now.date() - first).days),
    )
