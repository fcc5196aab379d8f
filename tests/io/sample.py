"""A small sound instance as texts of files, and how tests write, change and read it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from matcher.errors import InputError
from matcher.io import read_instance
from matcher.model import Instance

Files = Mapping[str, str | bytes]

MINIMAL: dict[str, str] = {
    "households": "household_id,persons,place\nH001,2,Lviv\nH002,1,Poltava\nH003,1,Poltava\n",
    "accommodations": "accommodation_id,place,capacity\nA001,Lviv,4\nA002,Poltava,2\n",
}

# One row or more of every file, with every column somewhere.
FULL: dict[str, str] = {
    "households": (
        "household_id,persons,place,lat,lon,origin,max_rent,priority,waiting_since,arrives,leaves,needs,wants,pets,languages,groups,"
        "max_km,accepts,avoids,wants_return,protected,consent\n"
        "H001,2,Lviv,,,Kharkiv,12.50,1,2026-01-02,2026-11-22,2026-12-01,Step_Free;lift,school,DOG cat,uk RU,older_person,"
        "800,hotel,UA14 UA-63,yes,no,yes\n"
        "H002,1,,49.59,34.55,,,,,,,,,,,,,,,,1,\n"
        "H003,3,Poltava,49.6,34.5,,,,,,,,,,,,,,,no,TRUE,no\n"
    ),
    "members": "member_id,household_id,relation,sex,age\nM1,H001,head,f,70\nM2,H001,partner,m,\n",
    "accommodations": (
        "accommodation_id,site_id,place,lat,lon,adm1,kind,capacity,shared,rooms,features,capacity_step_free,capacity_Lift,pets,languages,"
        "min_persons,max_persons,groups_only,available_from,available_until,vetted,risk,cost_per_person_night,status\n"
        "A001,S1,Lviv,,,,hotel,8,,4 2 2,lift,4,0,dog,,1,4,older_person,2026-11-01,2027-01-01,unknown,0.25,9.90,open\n"
        "A002,,,49.59,34.55,UA53,host_family,2,,,,,,,uk,,,,,,yes,,,\n"
        "A003,S1,P1,,,,apartment,3,yes,,,,,,,,,,,,,,,planned\n"
    ),
    "ties": (
        "household_id,place,lat,lon,other_household_id,accommodation_id,relation,kind,max_km,required,agreed,weight\n"
        "H001,Kyiv,,,,,sibling,,,,,2.5\n"
        "H001,,,,H002,,,apart,,,,\n"
        "H002,,,,,A002,friend,same_site,,yes,,\n"
        "H003,,50.1,30.2,,,work,near,100,yes,,\n"
    ),
    "travel": "from,to,km,minutes,cost_per_person,blocked\nLviv,Poltava,900,720,20.5,\nP1,Lviv,,,,yes\n",
    "places": "place_id,name,lat,lon,adm1\nP1,Transit,50.0,30.0,UA32\n",
    "placements": "household_id,accommodation_id,status,since,rooms\nH003,A001,accepted,2026-11-02,2 2\n",
    "overrides": (
        "household_id,accommodation_id,place,action,reason,decided_by,decided_at,expires_at\n"
        "H001,,Lviv,pin,near the clinic,CW-7,2026-11-20,2026-12-31\n"
        "H002,A001,,forbid,,,,\n"
    ),
}


def write(folder: Path, files: Files) -> Path:
    """Write files into a folder; a name without a suffix gets `.csv`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        data = text if isinstance(text, bytes) else text.encode("utf-8")
        (folder / (name if "." in name else name + ".csv")).write_bytes(data)
    return folder


def read(folder: Path, files: Files, *, quarantine: bool = False, encoding: str = "utf-8") -> Instance:
    """The instance of these files."""
    return read_instance(write(folder, files), quarantine=quarantine, encoding=encoding)


def faults(folder: Path, files: Files, *, quarantine: bool = False, encoding: str = "utf-8") -> list[str]:
    """The faults of these files, each as `file:line column code`; empty where there are none."""
    try:
        read(folder, files, quarantine=quarantine, encoding=encoding)
    except InputError as error:
        return [f"{fault.file.removesuffix('.csv')}:{fault.line} {fault.column or '-'} {fault.code}" for fault in error.faults]
    return []


def changed(text: str, line: int, new: str) -> str:
    """A file's text with one line (1-based) replaced."""
    lines = text.split("\n")
    lines[line - 1] = new
    return "\n".join(lines)
