"""The two warehouses: doors, staging, bins, handhelds, portals and gateways. Upstream: nothing,
this is data; downstream: master data, stock and the devices that the simulation makes.
"""

from dataclasses import dataclass

from waystock.contract.masterdata import BizStep, Device, Gateway, Location, Site
from waystock_firmware_sim.protocol.gs1 import gln
from waystock_firmware_sim.world.catalogue import COMPANY_PREFIX
from waystock_firmware_sim.world.geography import LonLat

TIME_ZONE = "Asia/Shanghai"
PICK_AISLES, PICK_BAYS = 8, 13
RESERVE_AISLES, RESERVE_BAYS = 6, 10

SERIAL_GATEWAY = Gateway(site="fleet", gateway="gw-serial")
MQTT_GATEWAY = Gateway(site="fleet", gateway="gw-mqtt")


@dataclass(frozen=True)
class Warehouse:
    """What differs between the sites."""

    site: Site
    gln_place: int
    loading_doors: int
    receivers: int
    putters: int
    pickers: int

    @property
    def name(self) -> str:
        """The site's name in topics and codes."""
        return self.site.site

    @property
    def center(self) -> LonLat:
        """Middle of the yard."""
        return self.site.lon, self.site.lat

    @property
    def gln(self) -> str:
        """GLN of the building; locations in it are its extensions."""
        return gln(COMPANY_PREFIX, self.gln_place)


WAREHOUSES = (
    Warehouse(
        Site(
            site="sha",
            name={"en": "Shanghai Qingpu", "zh": "上海青浦仓"},
            lat=31.172,
            lon=121.165,
            time_zone=TIME_ZONE,
        ),
        gln_place=101,
        loading_doors=2,
        receivers=2,
        putters=2,
        pickers=3,
    ),
    Warehouse(
        Site(
            site="hgh",
            name={"en": "Hangzhou Linping", "zh": "杭州临平仓"},
            lat=30.438,
            lon=120.330,
            time_zone=TIME_ZONE,
        ),
        gln_place=201,
        loading_doors=1,
        receivers=1,
        putters=1,
        pickers=2,
    ),
)


def locations(house: Warehouse) -> tuple[Location, ...]:
    """Every place of one warehouse."""
    places = [(f"dock-in-{i}", "dock", f"DI{i}") for i in range(1, house.receivers + 1)]
    places += [(f"dock-out-{i}", "dock", f"DO{i}") for i in range(1, house.loading_doors + 1)]
    places += [("staging", "staging", "STG")]
    for zone, letter, aisles, bays in (
        ("pick", "P", PICK_AISLES, PICK_BAYS),
        ("reserve", "R", RESERVE_AISLES, RESERVE_BAYS),
    ):
        places += [
            (f"{letter}-{aisle:02d}-{bay:02d}", zone, f"{letter}{aisle:02d}{bay:02d}")
            for aisle in range(1, aisles + 1)
            for bay in range(1, bays + 1)
        ]
    return tuple(
        Location(
            location=f"{house.name}/{place}",
            site=house.name,
            zone=zone,
            gln=house.gln,
            gln_extension=extension,
        )
        for place, zone, extension in places
    )


def scanners(house: Warehouse) -> tuple[Device, ...]:
    """The handhelds: receiving, putaway, picking."""
    name = house.name
    roles: tuple[tuple[str, BizStep, int], ...] = (
        ("recv", "receiving", house.receivers),
        ("put", "storing", house.putters),
        ("pick", "picking", house.pickers),
    )
    return tuple(
        Device(
            device=f"scan-{name}-{role}-{number}",
            kind="scanner",
            biz_step=step,
            read_point=f"{name}/dock-in-{number}" if step == "receiving" else None,
        )
        for role, step, count in roles
        for number in range(1, count + 1)
    )


def portals(house: Warehouse) -> tuple[Device, ...]:
    """One RFID reader per loading door."""
    return tuple(
        Device(
            device=f"rfid-{house.name}-out-{number}",
            kind="rfid",
            biz_step="loading",
            read_point=f"{house.name}/dock-out-{number}",
        )
        for number in range(1, house.loading_doors + 1)
    )


def dock_gateway(house: Warehouse) -> Gateway:
    """The edge computer of the warehouse."""
    return Gateway(site=house.name, gateway="gw-dock")
