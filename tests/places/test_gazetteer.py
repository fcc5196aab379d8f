"""From texts to spots: every code, three languages, old names, and no guesses."""

from __future__ import annotations

import time
from importlib.resources import files

import pytest

from matcher.places.gazetteer import Gazetteer, Language, PlaceError, gazetteer
from matcher.places.names import fold, romanise
from matcher.places.oblasts import OBLASTS
from matcher.places.settlements import read_settlements


@pytest.fixture(scope="module")
def places() -> Gazetteer:
    """The built-in gazetteer."""
    return gazetteer()


def failure(places: Gazetteer, text: str) -> PlaceError:
    """The error that a text ends with."""
    with pytest.raises(PlaceError) as caught:
        places.resolve(text)
    return caught.value


def attempt(places: Gazetteer, text: str) -> str:
    """The key of the settlement that a text means, or the code of the error."""
    try:
        return str(places.resolve(text).key)
    except PlaceError as error:
        return error.code


# Oblasts


def test_all_oblasts_by_every_code_and_name_and_back(places: Gazetteer) -> None:
    assert len(OBLASTS) == 27
    for pcode, oblast in OBLASTS.items():
        for code in (pcode, oblast.iso, oblast.katottg, pcode.lower(), f" {oblast.iso} "):
            assert places.oblast(code) == pcode
        languages: tuple[Language, ...] = ("en", "uk", "ru")
        for language in languages:
            name = places.oblast_name(pcode, language)
            assert places.oblast(name) == pcode
            if pcode not in ("UA80", "UA85", "UA01"):
                assert places.oblast(f"{name} область") == places.oblast(f"{name} обл.") == places.oblast(f"{name} oblast") == pcode
    assert len({oblast.iso for oblast in OBLASTS.values()}) == 27


@pytest.mark.parametrize(
    ("text", "pcode"),
    [
        ("UA-43", "UA01"),
        ("UA-09", "UA44"),
        ("UA-77", "UA73"),
        ("UA-30", "UA80"),
        ("UA-40", "UA85"),
        ("UA-32", "UA32"),
        ("Kyiv", "UA80"),
        ("Київ", "UA80"),
        ("Kyiv oblast", "UA32"),
        ("Київська", "UA32"),
        ("Kyivska", "UA32"),
        ("Львівщина", "UA46"),
        ("Lvivska", "UA46"),
        ("Днепропетровская", "UA12"),
        ("Kharkov region", "UA63"),
    ],
)
def test_oblast_codes_and_names_that_are_easily_mixed_up(places: Gazetteer, text: str, pcode: str) -> None:
    assert places.oblast(text) == pcode


@pytest.mark.parametrize(("text", "hint"), [("UA77", "UA73"), ("UA43", "UA01"), ("UA-80", "UA80"), ("UA99", "P-code"), ("", "P-code")])
def test_an_unknown_oblast_is_an_error_with_a_hint(places: Gazetteer, text: str, hint: str) -> None:
    with pytest.raises(PlaceError) as caught:
        places.oblast(text)
    assert caught.value.code == "unknown_oblast"
    assert hint in caught.value.message


def test_an_oblast_stands_for_its_centre(places: Gazetteer) -> None:
    keys = {settlement.key: settlement for settlement in places.settlements()}
    for pcode, oblast in OBLASTS.items():
        centre = keys[oblast.centre]
        assert centre.rank == "city" and centre.population > 60_000
        for code in (pcode, oblast.iso, oblast.katottg):
            spot = places.resolve(code)
            assert (spot.lat, spot.lon, spot.key, spot.adm1) == (centre.lat, centre.lon, centre.key, pcode)
    assert places.resolve("UA32").name == "Kyiv"
    assert places.resolve("Kyiv").adm1 == "UA80"


def test_the_bare_iso_number_is_no_place(places: Gazetteer) -> None:
    error = failure(places, "UA77")
    assert error.code == "unknown_place" and "UA73" in error.message


# Names


@pytest.mark.parametrize(
    ("name", "adm1", "texts"),
    [
        ("Lviv", "UA46", "Lviv|Львів|Львов|L'viv|L’viv|LVIV|  lviv |м. Львів|Lviv, UA-46|Львів, Львівська обл.|Lvov, Lviv oblast"),
        ("Kyiv", "UA80", "Kyiv|Київ|Киев|Kiev|м.Київ|Kyiv, Kyiv|Київ, Київська область"),
        ("Bakhmut", "UA14", "Bakhmut|Бахмут|Артемівськ, Донецька|Артёмовск, Донецкая область|Artemivs'k, UA14"),
        ("Pokrovsk", "UA14", "Pokrovsk|Покровськ|Покровск|Красноармійськ|Красноармейск, Донецька обл."),
        ("Chasiv Yar", "UA14", "Chasiv Yar|Часів Яр|Часов Яр|chasiv-yar|Chasiv  Yar|Chasov Yar"),
        ("Dnipro", "UA12", "Dnipro|Дніпро|Днепр|Дніпропетровськ|Днепропетровск"),
        ("Kropyvnytskyi", "UA35", "Kropyvnytskyi|Кропивницький|Кіровоград|Kirovohrad|Кировоград"),
        ("Kamianets-Podilskyi", "UA68", "Kamianets-Podilskyi|Кам'янець-Подільський|Камʼянець Подільський|Камянець-Подільський"),
        ("Odesa", "UA51", "Odesa|Одеса|Одесса|Odessa"),
        ("Kharkiv", "UA63", "Kharkiv|Харків|Харьков|Kharkov"),
        ("Uzhhorod", "UA21", "Uzhhorod|Ужгород|Uzhgorod"),
        ("Chernivtsi", "UA73", "Chernivtsi, Chernivtsi|Чернівці, UA-77|Черновцы, Черновицкая область"),
        ("Boryspil", "UA32", "Boryspil|Бориспіль|Boryspil, Kyiv|Boryspil, Kyiv oblast"),
        ("Sevastopol", "UA85", "Sevastopol|Севастополь|Sevastopol, Crimea|Севастополь, Крим"),
        ("Kostiantynivka", "UA14", "м. Костянтинівка|г. Константиновка|Kostiantynivka, Donetsk|Костянтинівка, Донецька"),
        ("Dobropillia", "UA14", "м. Добропілля|м. Добропілля, Донецька обл."),
        ("Lyman", "UA14", "м. Лиман|Lyman, Donetsk|Лиман, Донецкая область"),
        ("Zaporizhzhia", "UA23", "м. Запоріжжя|м. Запоріжжя, Запорізька область|UA-23"),
    ],
)
def test_a_settlement_in_three_languages_and_by_old_names(places: Gazetteer, name: str, adm1: str, texts: str) -> None:
    spots = {places.resolve(text) for text in texts.split("|")}
    assert [(spot.name, spot.adm1) for spot in spots] == [(name, adm1)]


def test_every_settlement_is_found_by_its_code(places: Gazetteer) -> None:
    coded = [settlement for settlement in places.settlements() if settlement.katottg and settlement.katottg != OBLASTS["UA80"].katottg]
    assert len(coded) > 4_500
    for settlement in coded:
        assert settlement.katottg is not None
        assert places.resolve(settlement.katottg).key == f"katottg:{settlement.katottg}"


def test_every_current_name_means_its_settlement_or_is_ambiguous(places: Gazetteer) -> None:
    sure = listed = 0
    for settlement in places.settlements():
        for name in settlement.current:
            outcome = attempt(places, f"{name}, {settlement.adm1}")
            assert outcome in (settlement.key, "ambiguous_place")
            sure += outcome == settlement.key
            listed += outcome == "ambiguous_place"
    assert sure > 10_000 and listed > 100


def test_namesakes_are_listed_and_the_oblast_tells_them_apart(places: Gazetteer) -> None:
    error = failure(places, "Mykolaiv")
    assert error.code == "ambiguous_place"
    assert "Mykolaiv, Lviv (UA46100110010094231)" in error.message
    assert "Mykolaiv, Mykolaiv (UA48060150010035747)" in error.message
    assert places.resolve("Mykolaiv, Lviv").key != places.resolve("Миколаїв, Миколаївська область").key
    assert failure(places, "Oleksandrivka").code == "ambiguous_place"
    assert failure(places, "Oleksandrivka, Donetsk").code == "ambiguous_place", "the oblast does not always do"


def test_an_old_name_that_two_settlements_bore_is_ambiguous(places: Gazetteer) -> None:
    message = failure(places, "Артемівськ").message
    assert "Bakhmut, Donetsk" in message and "Kypuche, Luhansk" in message


def test_a_current_name_goes_before_an_old_one(places: Gazetteer) -> None:
    current = {fold(name): settlement for settlement in places.settlements() for name in settlement.current}
    both = [(name, s) for s in places.settlements() for name in s.others if fold(name) in current and current[fold(name)] is not s]
    assert len(both) > 100
    for name, former in both:
        assert attempt(places, name) != former.key


@pytest.mark.parametrize(("text", "suggestion"), [("Chasiv Jar", "Chasiv Yar"), ("Краматорск1", "Kramatorsk"), ("Bahmuut", "Bakhmut")])
def test_a_misspelt_name_is_an_error_that_suggests(places: Gazetteer, text: str, suggestion: str) -> None:
    error = failure(places, text)
    assert error.code == "unknown_place"
    assert "did you mean" in error.message and suggestion in error.message


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("", "unknown_place", "KATOTTG"),
        ("x", "unknown_place", "KATOTTG"),
        ("Lviv, Atlantis", "unknown_oblast", "Atlantis"),
        ("Lviv, UA-77", "unknown_place", "in Chernivtsi"),
        ("Lviv,", "unknown_oblast", "P-code"),
        ("UA14020000000013572", "unknown_place", "raion or hromada"),
        ("UA46060250010099999", "unknown_place", "lat and lon"),
        ("UA460602500", "unknown_place", "17 digits"),
    ],
)
def test_what_cannot_be_a_place_says_what_to_do(places: Gazetteer, text: str, code: str, says: str) -> None:
    for _ in range(2):  # the second answer comes from memory
        error = failure(places, text)
        assert error.code == code
        assert says in error.message == str(error)


# The data


def test_the_data_is_sound(places: Gazetteer) -> None:
    settlements = places.settlements()
    assert 5_000 < len(settlements) < 6_000
    assert len({settlement.key for settlement in settlements}) == len(settlements)
    assert len({settlement.geonames_id for settlement in settlements}) == len(settlements)
    assert {settlement.adm1 for settlement in settlements} == set(OBLASTS)
    for settlement in settlements:
        assert 44.3 < settlement.lat < 52.4 and 22.1 < settlement.lon < 40.3, settlement
        assert settlement.key == (f"katottg:{settlement.katottg}" if settlement.katottg else f"geonames:{settlement.geonames_id}")
        assert (settlement.rank is None) == (settlement.katottg is None)
        assert settlement.en and settlement.population >= 0
        if settlement.katottg:
            assert settlement.katottg.startswith(settlement.adm1) and len(settlement.katottg) == 19
            assert settlement.en == romanise(settlement.uk)


def test_districts_of_cities_are_no_settlements(places: Gazetteer) -> None:
    assert [settlement.en for settlement in places.settlements() if settlement.adm1 == "UA80"] == ["Kyiv"]
    names = {settlement.en for settlement in places.settlements()}
    assert not names & {"Troieshchyna", "Darnytsia", "Holosiiv", "Saltivka", "Pravyi Bereh", "Fortechnyi", "Sotsmisto"}
    # Villages far away bear the names of these districts of Kyiv, Poltava and Lviv.
    assert {places.resolve(name).adm1 for name in ("Obolon", "Podil")} == {"UA53"}
    assert places.resolve("Sykhiv").lat < 49.3


def test_namesakes_are_ambiguous_in_every_language(places: Gazetteer) -> None:
    namesakes: dict[str, set[str]] = {}
    for settlement in places.settlements():
        if settlement.uk:
            namesakes.setdefault(fold(settlement.uk), set()).add(settlement.key)
    shared = 0
    for settlement in places.settlements():
        if len(namesakes.get(fold(settlement.uk), ())) > 1:
            shared += 1
            for name in settlement.current:
                assert failure(places, name).code == "ambiguous_place"
    assert shared > 1_000


def test_the_file_is_small_and_quick() -> None:
    assert (files("matcher.places") / "data" / "ukraine.tsv.xz").stat().st_size < 400_000  # type: ignore[attr-defined]
    started = time.perf_counter()
    fresh = Gazetteer(read_settlements())
    assert time.perf_counter() - started < 1.0, "about 0.1 s on an idle machine"
    texts = [settlement.katottg for settlement in fresh.settlements() if settlement.katottg][:500] * 200
    started = time.perf_counter()
    for text in texts:
        fresh.resolve(text)
    assert time.perf_counter() - started < 1.5, "about 0.03 s on an idle machine"


@pytest.mark.parametrize(
    ("uk", "en"),
    [
        ("Часів Яр", "Chasiv Yar"),
        ("Згурівка", "Zghurivka"),
        ("Знам’янка", "Znamianka"),
        ("Єнакієве", "Yenakiieve"),
        ("Щастя", "Shchastia"),
        ("Івано-Франківськ", "Ivano-Frankivsk"),
        ("Їжаківка", "Yizhakivka"),
    ],
)
def test_romanisation(uk: str, en: str) -> None:
    assert romanise(uk) == en
