"""Who may speak on a listening port: no stranger under a device's name, and a device that calls
again is never shut out by its own dead connection.
"""

from waystock_gateway.peers import Admission, Peers, Refusal, Speaker

A, B, C = "10.0.0.1", "10.0.0.2", "10.0.0.3"


def named(*devices: str) -> list[Speaker]:
    return [Speaker(device, {"pda-1": A, "pda-2": B}[device]) for device in devices]


def test_without_names_whoever_calls_is_the_port_s_device_told_apart_by_address() -> None:
    peers = Peers("pda-dock", {}, 2)
    assert peers.admit(A, []) == Admission(Speaker("pda-dock", A, is_one_of_many=True))


def test_with_names_each_address_is_its_device_and_a_stranger_is_refused() -> None:
    peers = Peers("dock", {A: "pda-1", B: "pda-2"}, 8)
    assert peers.admit(B, named("pda-1")) == Admission(Speaker("pda-2", B))
    assert peers.admit(C, []) == Refusal("unknown_peer")


def test_a_device_that_calls_again_takes_the_place_of_its_dead_connection() -> None:
    peers = Peers("dock", {A: "pda-1", B: "pda-2"}, 2)
    present = named("pda-1", "pda-2")
    assert peers.admit(A, present) == Admission(Speaker("pda-1", A), replaces=present[0])


def test_a_device_may_have_two_addresses_and_is_still_one() -> None:
    peers = Peers("dock", {A: "pda-1", C: "pda-1"}, 2)
    present = named("pda-1")
    assert peers.admit(C, present) == Admission(Speaker("pda-1", C), replaces=present[0])


def test_more_peers_than_allowed_are_refused_unless_it_is_one_of_them_again() -> None:
    peers = Peers("pda-dock", {}, 2)
    present = [Speaker("pda-dock", address, is_one_of_many=True) for address in (A, B)]
    assert peers.admit(C, present) == Refusal("too_many_peers")
    assert peers.admit(B, present) == Admission(present[1], replaces=present[1])


def test_several_scanners_behind_one_address_all_speak_while_there_is_room() -> None:
    peers = Peers("pda-dock", {}, 3)
    present = [Speaker("pda-dock", A, is_one_of_many=True)] * 2
    assert peers.admit(A, present) == Admission(present[0])
