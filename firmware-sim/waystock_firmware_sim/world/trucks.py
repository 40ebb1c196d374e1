"""The twenty trucks as they stand when the world begins: way, progress, door, unit. Upstream:
nothing, this is data; downstream: shipments, and the motion of each truck.
"""

from dataclasses import dataclass
from typing import Literal

Link = Literal["serial", "mqtt"]
Role = Literal["plain", "late", "off_route", "dock"]


@dataclass(frozen=True)
class Truck:
    """`progress` is the part of the way behind it; a truck at a door has none."""

    number: int
    plate: str
    way: str
    link: Link
    progress: float = 0.0
    role: Role = "plain"
    door: str = ""

    @property
    def vehicle(self) -> str:
        """Name in master data."""
        return f"truck-{self.number:02d}"

    @property
    def device(self) -> str:
        """Name of its GPS unit."""
        return f"gps-{self.vehicle}"

    @property
    def site(self) -> str:
        """Where it was loaded."""
        return self.way.split("-")[0]


TRUCKS = (
    Truck(1, "沪A·D3172", "sha-nanjing", "serial", 0.34),
    Truck(2, "沪A·E5816", "sha-qixia", "mqtt", 0.71),
    Truck(3, "沪A·B6603", "sha-suzhou", "serial", 0.68, role="late"),
    Truck(4, "沪A·K2950", "sha-wuxi", "serial", 0.22),
    Truck(5, "沪A·F7741", "sha-changzhou", "serial", 0.58, role="off_route"),
    Truck(6, "沪A·G1038", "sha-zhenjiang", "mqtt", 0.12),
    Truck(7, "沪A·H4429", "sha-nantong", "serial", 0.47),
    Truck(8, "沪A·J9065", "sha-xiaoshan", "mqtt", 0.81),
    Truck(9, "沪A·L3387", "sha-beilun", "serial", 0.63),
    Truck(10, "沪A·M5210", "sha-jiaxing", "mqtt", 0.93),
    Truck(11, "沪A·N8874", "sha-huzhou", "serial", 0.40),
    Truck(12, "沪A·P1596", "hgh-wujiang", "serial", 0.05),
    Truck(13, "沪A·Q6342", "sha-kunshan", "serial", door="dock-out-1", role="dock"),
    Truck(14, "浙A·2K781", "hgh-minhang", "serial", 0.29),
    Truck(15, "浙A·7D036", "hgh-yinzhou", "mqtt", 0.52),
    Truck(16, "浙A·5F418", "hgh-keqiao", "mqtt", 0.90),
    Truck(17, "浙A·9H257", "hgh-changxing", "serial", 0.76),
    Truck(18, "浙A·1M603", "hgh-lishui", "mqtt", 0.18),
    Truck(19, "沪A·R7720", "sha-lingang", "mqtt", door="dock-out-2", role="dock"),
    Truck(20, "浙A·6T944", "hgh-nantong", "serial", door="dock-out-1", role="dock"),
)
