"""Explanations as codes and numbers: what any language can put into words, as short as ten thousand of them ask for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from matcher.answers import Explained, Full, Funnel, Other, Preferred, TieTold
from matcher.columns import codes
from matcher.explain import Explainer
from matcher.i18n import LANGUAGES, translator
from matcher.model import Instance, Spot
from matcher.places.called import place_name
from matcher.report.geography import Atlas
from matcher.report.offers import Offers
from matcher.result import LEFT_OUT_REASONS, Result, UnplacedRow
from matcher.wording.remedies import remedy_sentence
from matcher.wording.tables import OWN_ROW_FAULTY


@dataclass(frozen=True)
class Told:
    """What the page tells of one household besides its row; see `PLACED` and `UNPLACED`."""

    ties: list[Any]
    others: list[Any]
    said: str
    funnel: list[Any] | None
    preferred: list[Any]
    remedy: dict[str, str] | None
    examined: bool


def explainer_of(result: Result) -> Explainer:
    """Explains the households of a result, or of one that is read back from its tables."""
    instance, policy, options = result.instance, result.policy, result.options
    assert instance is not None and policy is not None and options is not None and options.date is not None
    plan = result.plan if result.plan.home or not result.placements else None
    rows = (result.placements, result.unplaced)
    return Explainer(instance, policy, options.date, *rows, seed=options.seed, remedies=result.remedies, plan=plan)


class Teller:
    """Turns explanations into the page's codes."""

    def __init__(self, instance: Instance, atlas: Atlas, offers: Offers, lang: str) -> None:
        """lang: of the sentences in the rows."""
        self.atlas, self.offers, self.lang = atlas, offers, lang
        self.spots: dict[str, Spot] = {place_name(spot): spot for spot in codes(instance.ties, "spot")[1] if spot is not None}

    def told(self, found: Explained) -> Told:
        """One household's."""
        return Told(
            ties=[self._tie(tie) for tie in found.ties],
            others=[self._other(one) for one in found.others],
            said=_said(found),
            funnel=None if found.funnel is None else _funnel(found.funnel),
            preferred=[self._preferred(one) for one in found.preferred],
            remedy=None if found.remedy is None else {lang: remedy_sentence(found.remedy, translator(lang)) for lang in LANGUAGES},
            examined=found.examined,
        )

    def of_unplaced(self, row: UnplacedRow, found: Explained | None) -> Told:
        """One without a place; found: None in a run so large that nobody is explained. A run that is read back has its remedies as
        sentences, in its own language."""
        told = self.told(found or Explained(row.household_id, row.persons, placed=False, reason=row.reason, sentence=row.explanation))
        if told.remedy is None and row.remedy:
            return replace(told, remedy={self.lang: row.remedy}, examined=True)
        return told

    def _tie(self, tie: TieTold) -> list[Any]:
        """[kind, place (number) or id or None, relation, condition, km10, kept]."""
        spot = self.spots.get(tie.target or "")
        target = tie.target if spot is None else self.atlas.number(spot)
        return [tie.kind, target, tie.relation, int(tie.required), tie.km10, None if tie.kept is None else int(tie.kept)]

    def _other(self, one: Other) -> list[Any]:
        """[offer, added cost, codes of rules, who is there]."""
        return [self.offers.number(one.accommodation_id), one.added_cost, list(one.rules), None if one.full is None else _full(one.full)]

    def _preferred(self, one: Preferred) -> list[Any]:
        """[offer, id or None, why, margin]."""
        return [self.offers.number(one.accommodation_id), one.household_id, one.why, one.margin]


def _said(found: Explained) -> str:
    """Code of the sentence that says why a household is left out; "" for the others."""
    if found.reason not in LEFT_OUT_REASONS:
        return ""
    return "own_row" if found.sentence in _own_row() else found.reason or ""


@cache
def _own_row() -> frozenset[str]:
    return frozenset(translator(lang).say(OWN_ROW_FAULTY) for lang in LANGUAGES)


def _funnel(seen: Funnel) -> list[Any]:
    """[offers, [[rule, how many it strikes out]], left, [rule that alone would open the most, how many] or None]."""
    opener = None if seen.opener is None else list(seen.opener)
    return [seen.offers, [list(one) for one in seen.struck], seen.left, opener]


def _full(full: Full) -> list[Any]:
    """[households there, settled ones, those with nowhere else to go, what each of the others would lose at least]."""
    return [full.households, full.fixed, full.nowhere, full.least_loss]
