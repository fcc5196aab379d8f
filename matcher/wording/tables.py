"""Words for codes: terms, rules, reasons, kinds of accommodation. Each is looked up by its code when it is said."""

from __future__ import annotations

from collections.abc import Mapping

from matcher.i18n import mark, mark_n

TERM_WORDS: Mapping[str, str] = {
    "travel": mark("the journey"),
    "ties": mark("distance from its ties"),
    "home": mark("distance from home, for the way back"),
    "wants": mark("wishes not met"),
    "risk": mark("danger at the destination"),
    "short": mark("the offer ends early"),
    "spare": mark("beds left empty"),
    "move": mark("change of an earlier proposal"),
    "rent": mark("rent"),
    "unplaced": mark("being left without a place"),
    "linked": mark("distance from households it is tied to"),
    "floors": mark("the share promised to a group"),
}
RULE_WORDS: Mapping[str, tuple[str, str]] = {
    "status": mark_n("{n} is not open", "{n} are not open"),
    "vetted": mark_n("{n} is a host family that is not vetted", "{n} are host families that are not vetted"),
    "size": mark_n("{n} does not suit its number of persons", "{n} do not suit its number of persons"),
    "rent": mark_n("{n} costs more than it can pay, or its cost is not known", "{n} cost more than it can pay, or their cost is not known"),
    "risk": mark_n("{n} is in a place rated too dangerous", "{n} are in places rated too dangerous"),
    "needs": mark_n("{n} lacks something it needs", "{n} lack something it needs"),
    "pets": mark_n("{n} does not take its pets", "{n} do not take its pets"),
    "language": mark_n("{n} is a host family that speaks none of its languages", "{n} are host families that speak none of its languages"),
    "kind": mark_n("{n} is of a kind it does not accept", "{n} are of kinds it does not accept"),
    "groups": mark_n("{n} is kept for other groups", "{n} are kept for other groups"),
    "area": mark_n("{n} is in an oblast it avoids, or in an unknown one", "{n} are in oblasts it avoids, or in unknown ones"),
    "dates": mark_n("{n} is not available for its dates", "{n} are not available for its dates"),
    "distance": mark_n("{n} is too far away or cut off", "{n} are too far away or cut off"),
    "rooms": mark_n("{n} has no rooms that can hold it", "{n} have no rooms that can hold it"),
    "override": mark_n("{n} is ruled out by a decision", "{n} are ruled out by a decision"),
    "tie": mark_n("{n} does not keep its required ties", "{n} do not keep its required ties"),
}
RULE_NAMES: Mapping[str, str] = {
    "status": mark("offers that are not open"),
    "vetted": mark("host families that are not vetted"),
    "size": mark("the number of persons"),
    "rent": mark("the most it can pay"),
    "risk": mark("the danger at the destination"),
    "needs": mark("what it needs"),
    "pets": mark("its pets"),
    "language": mark("its languages"),
    "kind": mark("the kinds it accepts"),
    "groups": mark("offers kept for other groups"),
    "area": mark("the oblasts it avoids"),
    "dates": mark("its dates"),
    "distance": mark("the longest journey it can make, or a blocked way"),
    "rooms": mark("the rooms"),
    "override": mark("decisions of a person"),
    "tie": mark("its required ties"),
}
BARRED_WORDS: Mapping[str, str] = {
    "status": mark("it is not open"),
    "vetted": mark("the host family is not vetted"),
    "size": mark("it does not suit the number of persons"),
    "rent": mark("it costs more than they can pay, or its cost is not known"),
    "risk": mark("the place is rated too dangerous"),
    "needs": mark("it lacks something they need"),
    "pets": mark("it does not take their pets"),
    "language": mark("the host family speaks none of their languages"),
    "kind": mark("it is of a kind they do not accept"),
    "groups": mark("it is kept for other groups"),
    "area": mark("it is in an oblast they avoid, or in an unknown one"),
    "dates": mark("it is not available for their dates"),
    "distance": mark("it is too far away, or cut off"),
    "rooms": mark("it has no rooms that can hold them"),
    "override": mark("a decision rules it out"),
    "tie": mark("it does not keep a required tie"),
}
LEFT_OUT_WORDS: Mapping[str, str] = {
    "no_consent": mark("It has not consented to be matched."),
    "quarantined": mark("A row that names it is faulty and was set aside; mend the row and run again."),
    "no_adult": mark("Nobody of 18 or older is known in it; a person has to decide where it goes."),
    "held": mark("It is on hold by a decision in overrides.csv."),
}
OWN_ROW_FAULTY = mark("Its own row is faulty and was set aside; see quarantined.csv, mend the row and run again.")


def said_of_one(code: str) -> str:
    """What a rule says of an offer that it strikes out, in English: `is not open`."""
    return RULE_WORDS[code][0].removeprefix("{n} ")


KIND_WORDS: Mapping[str, str] = {
    "apartment": mark("apartment"),
    "house": mark("house"),
    "host_family": mark("host family"),
    "collective_site": mark("collective site"),
    "dormitory": mark("dormitory"),
    "hotel": mark("hotel"),
    "modular": mark("modular housing"),
}
FEATURE_WORDS: Mapping[str, str] = {
    "step_free": mark("no steps"),
    "ground_floor": mark("ground floor"),
    "lift": mark("a lift"),
    "private_bathroom": mark("a bathroom of its own"),
    "medical_care": mark("medical care"),
    "women_only": mark("women only"),
    "school": mark("a school nearby"),
    "kitchen": mark("a kitchen"),
    "quiet": mark("quiet"),
    "garden": mark("a garden"),
    "oxygen": mark("oxygen"),
    "dialysis": mark("dialysis"),
}
GROUP_WORDS: Mapping[str, str] = {
    "older_person": mark("older people"),
    "single_parent": mark("single parents"),
    "disability": mark("people with disabilities"),
    "limited_mobility": mark("people with limited mobility"),
    "in_transit": mark("people in transit"),
    "large_family": mark("large families"),
    "pregnant": mark("pregnant women"),
    "unaccompanied_minor": mark("children without parents"),
}
PET_WORDS: Mapping[str, str] = {"dog": mark("dog"), "cat": mark("cat"), "other": mark("another animal")}
