"""The world in motion: makes every device on the lines it is given, starts workers and trucks, and
brings all to rest again. Upstream: world, plot, clock; downstream: lines, uplinks, truth. No socket
and no clock is made here, so that a test can run a day in a second.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial

from waystock_firmware_sim.devices.gps_unit import NmeaUnit, Receiver
from waystock_firmware_sim.devices.handheld import Handheld
from waystock_firmware_sim.devices.line import Line
from waystock_firmware_sim.devices.portal import Portal
from waystock_firmware_sim.devices.tracker import FIRST_FIX_S, Dialect, Tracker
from waystock_firmware_sim.devices.uplink import Uplink
from waystock_firmware_sim.motion import Drive
from waystock_firmware_sim.plot import Act, Crawl, LeaveRoute, acts
from waystock_firmware_sim.protocol import tracker_json
from waystock_firmware_sim.scheduler import Scheduler, Script
from waystock_firmware_sim.seeds import stream
from waystock_firmware_sim.truth import Truth
from waystock_firmware_sim.work import Crew
from waystock_firmware_sim.world.build import World
from waystock_firmware_sim.world.sites import WAREHOUSES, Warehouse, portals, scanners
from waystock_firmware_sim.world.trucks import TRUCKS, Truck

ROAD_CAUSE_AFTER_S = 20.0
"""How long a truck must crawl or stray before anyone can be expected to notice."""
SETTLE_S = 0.6
"""What the host needs to take in the last bytes before the line is hung up."""


def serial_devices() -> tuple[str, ...]:
    """Names of all devices that sit on a serial line."""
    fixed = [
        device.device for house in WAREHOUSES for device in (*scanners(house), *portals(house))
    ]
    return (*fixed, *(truck.device for truck in TRUCKS if truck.link == "serial"))


class Simulation:
    """All devices of one world. Drive it by `scheduler.run_due` and `on_input`."""

    def __init__(
        self,
        world: World,
        seed: int,
        scheduler: Scheduler,
        utc: Callable[[], datetime],
        truth: Truth,
        line_of: Callable[[str], Line],
        uplink_of: Callable[[str], Uplink],
    ) -> None:
        self._world = world
        self._seed = seed
        self._scheduler = scheduler
        self._utc = utc
        self._truth = truth
        self._line_of = line_of
        self._uplink_of = uplink_of
        self._began_s = scheduler.now_s()
        self._acts = acts(world)
        self._inputs: dict[str, Callable[[bytes], None]] = {}
        self._is_over = False
        self._over_since_s = 0.0
        self.handhelds: list[Handheld] = []
        self.portals: list[Portal] = []
        self._units: list[NmeaUnit] = []
        self.trackers: list[Tracker] = []
        self._drives = {trip.truck.vehicle: self._drive(trip.truck) for trip in world.trips}
        self._crews = [self._staff(house) for house in WAREHOUSES]
        for act in self._acts:
            if isinstance(act.deed, Crawl | LeaveRoute):
                self._schedule_road_act(act)
        for truck in TRUCKS:
            self._equip(truck)

    def on_input(self, device: str, data: bytes) -> None:
        """Bytes that the host sent to a serial device; GPS units ignore what they are told."""
        handler = self._inputs.get(device)
        if handler is not None and data:
            handler(data)

    def finish(self) -> None:
        """Start nothing new: workers stop, fields clear, GPS units fall silent."""
        if self._is_over:
            return
        self._is_over = True
        self._over_since_s = self._scheduler.now_s()
        for crew in self._crews:
            crew.finish()
        for portal in self.portals:
            portal.clear_field()
        for unit in (*self._units, *self.trackers):
            unit.switch_off()

    @property
    def is_at_rest(self) -> bool:
        """Whether, after `finish`, everything that was begun is told and answered."""
        return (
            self._is_over
            and self._scheduler.now_s() - self._over_since_s >= SETTLE_S
            and all(handheld.is_idle for handheld in self.handhelds)
            and all(portal.is_clear for portal in self.portals)
            and all(tracker.is_drained for tracker in self.trackers)
        )

    def _elapsed_s(self) -> float:
        return self._scheduler.now_s() - self._began_s

    def _drive(self, truck: Truck) -> Drive:
        (trip,) = (one for one in self._world.trips if one.truck == truck)
        departs_at_s = (trip.shipment.depart_at - self._world.start).total_seconds()
        random = stream(self._world.seed, f"drive/{truck.vehicle}")
        return Drive(trip.points, trip.started_m, departs_at_s, random)

    def _staff(self, house: Warehouse) -> Crew:
        crew = Crew(
            house.name,
            self._world,
            self._truth,
            stream(self._seed, f"work/{house.name}"),
            self._utc,
            self._elapsed_s,
        )
        roles: dict[str, Callable[[Handheld, Iterable[Act]], Script]] = {
            "receiving": crew.receiver,
            "storing": crew.putter,
            "picking": crew.picker,
        }
        for device in scanners(house):
            name = device.device
            handheld = Handheld(name, self._line_of(name), self._scheduler, self._utc, self._truth)
            self.handhelds.append(handheld)
            self._inputs[name] = handheld.on_input
            self._scheduler.start(roles[device.biz_step](handheld, self._acts_of(name)))
        for device in portals(house):
            name = device.device
            portal = Portal(
                name,
                self._line_of(name),
                self._scheduler,
                self._utc,
                self._truth,
                stream(self._seed, f"portal/{name}"),
            )
            self.portals.append(portal)
            self._inputs[name] = portal.on_input
            door = device.read_point or ""
            self._scheduler.start(crew.loader(portal, door, self._acts_of(name)))
        return crew

    def _acts_of(self, actor: str) -> list[Act]:
        return sorted((a for a in self._acts if a.actor == actor), key=lambda act: act.at_s)

    def _schedule_road_act(self, act: Act) -> None:
        drive = self._drives[act.actor]
        # A crawl from the start holds for the time before the run too: the drive is still at 0.
        if isinstance(act.deed, Crawl):
            call = partial(drive.crawl, act.deed.speed_mps)
        else:
            call = drive.leave_route
        if act.at_s <= 0:
            call()
        else:
            self._scheduler.after(act.at_s, call)
        self._scheduler.after(act.at_s + ROAD_CAUSE_AFTER_S, partial(self._tell_cause, act))

    def _tell_cause(self, act: Act) -> None:
        if act.cause is not None and not self._is_over:
            self._truth.alert(act.cause.type, act.cause.subject)

    def _equip(self, truck: Truck) -> None:
        random = stream(self._seed, f"gps/{truck.vehicle}")
        receiver = Receiver(self._drives[truck.vehicle], self._world.start, random)
        if truck.link == "serial":
            unit = NmeaUnit(
                truck.device,
                self._line_of(truck.device),
                self._scheduler,
                self._utc,
                self._truth,
                receiver,
                random,
            )
            self._units.append(unit)
            return
        tracker = Tracker(
            truck.device,
            self._uplink_of(truck.device),
            self._scheduler,
            self._utc,
            self._truth,
            receiver,
            Dialect(tracker_json.plain_mps if truck.number % 4 else tracker_json.plain_kmh),
            FIRST_FIX_S + random.uniform(0, 2),
        )
        self.trackers.append(tracker)
