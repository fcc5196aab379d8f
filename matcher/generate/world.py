"""The country that an instance is drawn from: real settlements, and how likely each is as origin, transit town or refuge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matcher.generate.tables import Cells, Flags, Ints, Rng, cells, numbers
from matcher.places.gazetteer import gazetteer
from matcher.places.travel import road_km

# By oblast: share of the people who had to leave, of the offers, and how dangerous it is there.
OBLASTS: Mapping[str, tuple[float, float, float]] = {
    "UA05": (0.2, 6, 0.12), "UA07": (0.1, 4, 0.08), "UA12": (5, 6, 0.35), "UA14": (28, 0, 0.8), "UA18": (0.3, 5, 0.14),
    "UA21": (0.1, 5, 0.03), "UA23": (12, 1, 0.6), "UA26": (0.1, 6, 0.06), "UA32": (1, 5, 0.25), "UA35": (0.5, 4, 0.18),
    "UA44": (14, 0, 0.9), "UA46": (0.1, 9, 0.08), "UA48": (4, 1, 0.4), "UA51": (2, 4, 0.3), "UA53": (1, 5, 0.25),
    "UA56": (0.1, 4, 0.1), "UA59": (5, 1, 0.5), "UA61": (0.1, 5, 0.06), "UA63": (20, 1, 0.6), "UA65": (10, 0, 0.7),
    "UA68": (0.1, 5, 0.1), "UA71": (0.5, 5, 0.15), "UA73": (0.1, 4, 0.04), "UA74": (3, 2, 0.35), "UA80": (1, 3, 0.25),
}  # fmt: skip

# Where evacuated people are registered: name, oblast, share.
TRANSIT: tuple[tuple[str, str, float], ...] = (
    ("Dnipro", "UA12", 16), ("Pavlohrad", "UA12", 9), ("Kryvyi Rih", "UA12", 5), ("Kamianske", "UA12", 3), ("Nikopol", "UA12", 2),
    ("Zaporizhzhia", "UA23", 9), ("Kharkiv", "UA63", 10), ("Lozova", "UA63", 3), ("Chuhuiv", "UA63", 1), ("Kramatorsk", "UA14", 4),
    ("Pokrovsk", "UA14", 3), ("Druzhkivka", "UA14", 1), ("Sumy", "UA59", 4), ("Romny", "UA59", 1), ("Okhtyrka", "UA59", 1),
    ("Poltava", "UA53", 4), ("Kremenchuk", "UA53", 2), ("Mykolaiv", "UA48", 4), ("Voznesensk", "UA48", 1), ("Kherson", "UA65", 2),
    ("Odesa", "UA51", 4), ("Kropyvnytskyi", "UA35", 3), ("Oleksandriia", "UA35", 1), ("Chernihiv", "UA74", 2), ("Nizhyn", "UA74", 1),
    ("Kyiv", "UA80", 4), ("Cherkasy", "UA71", 2), ("Uman", "UA71", 1), ("Vinnytsia", "UA05", 1), ("Lviv", "UA46", 2),
)  # fmt: skip
CENTRES = 12
SMALLEST_SETTLEMENT = 2000
POPULATION_THAT_COUNTS = 400_000


@dataclass(frozen=True)
class World:
    """Settlements as columns (refs: KATOTTG codes, which always resolve), and transit towns and centres beside them.

    transit: positions of the transit towns. transit_cells: those towns, then the centres of places.csv.
    station_lat, station_lon: coordinates of the railway station of a transit town, as text.
    """

    refs: Cells
    names: Cells
    adm1: Cells
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    lat_text: Cells
    lon_text: Cells
    risk: NDArray[np.float64]
    origin_share: NDArray[np.float64]
    offer_share: NDArray[np.float64]
    transit: Ints
    transit_cells: Cells
    transit_share: NDArray[np.float64]
    has_station: Flags
    station_lat: Cells
    station_lon: Cells
    avoided: Cells
    places: dict[str, Cells]


def make_world(rng: Rng) -> World:
    """All settlements of some size in the oblasts under Ukrainian administration, weighted by people and by oblast."""
    rows = [
        s for s in gazetteer().settlements() if s.key.startswith("katottg:") and s.adm1 in OBLASTS and s.population >= SMALLEST_SETTLEMENT
    ]
    rows.sort(key=lambda s: s.key)
    lat, lon = np.array([s.lat for s in rows]), np.array([s.lon for s in rows])
    people = np.minimum(np.array([s.population for s in rows], dtype=float), POPULATION_THAT_COUNTS)
    by_oblast = np.array([OBLASTS[s.adm1] for s in rows])
    adm1, names = cells([s.adm1 for s in rows]), cells([s.en for s in rows])
    transit = np.array([_position(names, adm1, people, name, code) for name, code, _ in TRANSIT])
    places = _centres(rng, transit, names, adm1, lat, lon)
    refs = cells([s.code for s in rows])
    share = np.array([weight for _, _, weight in TRANSIT])
    share = np.concatenate([share, share[:CENTRES] / 2])
    beside = np.concatenate([transit, transit[:CENTRES]])
    return World(
        refs=refs,
        names=names,
        adm1=adm1,
        lat=lat,
        lon=lon,
        lat_text=numbers(np.round(lat, 4)),
        lon_text=numbers(np.round(lon, 4)),
        risk=by_oblast[:, 2],
        origin_share=_share(people, by_oblast[:, 0], adm1),
        offer_share=_share(np.sqrt(people), by_oblast[:, 1] * _behind_the_front(lat, lon), adm1),
        transit=transit,
        transit_cells=np.concatenate([refs[transit], places["place_id"]]),
        transit_share=share / share.sum(),
        has_station=np.arange(len(beside)) < len(transit),
        station_lat=numbers(np.round(lat[beside] + 0.011, 4)),
        station_lon=numbers(np.round(lon[beside] - 0.014, 4)),
        avoided=cells(["UA63", "UA51", "UA80 UA32", "UA12 UA23", "UA59;UA74"]),
        places=places,
    )


def _share(people: NDArray[np.float64], weight: NDArray[np.float64], adm1: Cells) -> NDArray[np.float64]:
    """Chance of a settlement: its oblast's weight, divided in the oblast by people."""
    _, oblast = np.unique(adm1.astype(str), return_inverse=True)
    share = weight * people / np.bincount(oblast, weights=people)[oblast]
    return np.asarray(share / share.sum())


def _behind_the_front(lat: NDArray[np.float64], lon: NDArray[np.float64]) -> Flags:
    """Where offers may be: roughly, west of the front and north of the occupied south."""
    return np.asarray((lon < 36.5) & ~((lon > 33.0) & (lat < 47.75)))


def _position(names: Cells, adm1: Cells, people: NDArray[np.float64], name: str, code: str) -> int:
    """The largest settlement of that name in an oblast."""
    found = np.flatnonzero((names == name) & (adm1 == code))
    return int(found[np.argmax(people[found])])


def _centres(rng: Rng, transit: Ints, names: Cells, adm1: Cells, lat: NDArray[np.float64], lon: NDArray[np.float64]) -> dict[str, Cells]:
    """places.csv: an assistance centre in each of the first transit towns."""
    town = transit[:CENTRES]
    return {
        "place_id": cells([f"centre-{number:02d}" for number in range(1, CENTRES + 1)]),
        "name": cells([f"Assistance centre {name}" for name in names[town]]),
        "lat": numbers(np.round(lat[town] + rng.uniform(-0.02, 0.02, CENTRES), 4)),
        "lon": numbers(np.round(lon[town] + rng.uniform(-0.02, 0.02, CENTRES), 4)),
        "adm1": adm1[town],
    }


def make_travel(rng: Rng, world: World, roads_needed: Ints) -> dict[str, Cells]:
    """travel.csv: the way from every transit town to the 12 likeliest settlements, and two ways that are blocked.

    roads_needed: settlements that no way is blocked to, because a fixed placement leads there.
    """
    likeliest = np.argsort(-world.offer_share, kind="stable")
    first = likeliest[:12]
    origin, destination = np.repeat(world.transit, len(first)), np.tile(first, len(world.transit))
    apart = origin != destination
    free = likeliest[~np.isin(likeliest, np.concatenate([roads_needed, world.transit, first]))][:2]
    blocked = np.concatenate([np.zeros(int(apart.sum()), dtype=bool), np.ones(len(free), dtype=bool)])
    origin = np.concatenate([origin[apart], world.transit[: len(free)]])
    destination = np.concatenate([destination[apart], free])
    km = np.array([road_km(distance) for distance in _great_circle(world, origin, destination)])
    km = np.round(km * rng.uniform(0.96, 1.08, len(km)), 1)
    known = ~blocked
    text = np.array(["yes" if way else "" for way in blocked], dtype=object)
    return {
        "from": world.refs[origin],
        "to": world.refs[destination],
        "km": np.where(known, numbers(km), "").astype(object),
        "minutes": np.where(known, numbers(np.round(km * 0.9 + 20).astype(np.int64)), "").astype(object),
        "cost_per_person": np.where(known & (rng.random(len(km)) < 0.5), numbers(np.round(km * 1.1).astype(np.int64)), "").astype(object),
        "blocked": text,
    }


def _great_circle(world: World, origin: Ints, destination: Ints) -> NDArray[np.float64]:
    """Great-circle km between settlements (haversine)."""
    lat_a, lat_b = np.radians(world.lat[origin]), np.radians(world.lat[destination])
    half_lon = np.radians(world.lon[destination] - world.lon[origin]) / 2
    h = np.sin((lat_b - lat_a) / 2) ** 2 + np.cos(lat_a) * np.cos(lat_b) * np.sin(half_lon) ** 2
    return np.asarray(2 * 6371.0088 * np.arcsin(np.sqrt(h)))
