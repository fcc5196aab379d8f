"""Beds that are slept in by people who stand elsewhere in tonight's instance: nobody else may have them."""

from __future__ import annotations

from matcher.model import Accommodation, Household


def taken_off(offer: Accommodation, residents: list[tuple[Household, tuple[int, ...]]]) -> Accommodation:
    """The offer without the beds of residents. A flat is then full; of rooms that nobody wrote down the largest count as taken."""
    if not offer.shared:
        return offer.model_copy(update={"status": "closed"})
    persons = sum(household.persons for household, _ in residents)
    update: dict[str, object] = {"capacity": max(0, offer.capacity - persons)}
    if offer.rooms is not None:
        left = sorted(offer.rooms)
        for household, rooms in residents:
            sizes = [size for size in rooms if size in left]
            for size in sizes:
                left.remove(size)
            short = household.persons - sum(sizes)
            while short > 0 and left:
                short -= left.pop()
        if not left:
            return offer.model_copy(update={"status": "closed"})
        update["rooms"] = tuple(size for size in offer.rooms if _counted_off(left, size))
    beds = {
        word: max(0, count - sum(household.persons for household, _ in residents if word in household.needs))
        for word, count in offer.need_capacity
    }
    update["need_capacity"] = tuple((word, beds[word]) for word, _ in offer.need_capacity)
    return offer.model_copy(update=update)


def _counted_off(left: list[int], size: int) -> bool:
    if size not in left:
        return False
    left.remove(size)
    return True
