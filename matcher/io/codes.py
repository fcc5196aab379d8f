"""Every code that reading can report, with its meaning. `docs/format.md` says for each what to do."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

FAULT_CODES: Final[Mapping[str, str]] = MappingProxyType(
    {
        # a whole file
        "file_missing": "the folder, or a file that every instance needs, is not there",
        "file_name": "a file of the format stands there under a name with other capital letters",
        "file_unreadable": "the system does not let the file be read",
        "bad_encoding": "the bytes are not text in the encoding that was declared (UTF-8 unless another is named)",
        "empty_file": "the file has no header line",
        "bad_header": "the header line cannot be split into cells",
        "bad_workbook": "the file is no .xlsx workbook, has a password, or is damaged",
        "too_large": "the workbook is larger than is read",
        "bad_parquet": "the file is no Parquet file, or is damaged",
        "missing_column": "one or more required columns are not there",
        "duplicate_column": "a column that is read stands there twice",
        # the shape of a row
        "unclosed_quote": "a quote is opened and not closed",
        "stray_quote": "a quote stands inside a cell that is not quoted, or text follows a closing quote",
        "wrong_cell_count": "the row has more or fewer cells than the header",
        "bad_character": "the row has a character that is no text (NUL, or half a surrogate pair)",
        # a mapped export
        "bad_mapping": "a mapping file cannot be understood",
        "mapping_table": "none, or more than one, of the tables of an export is the one that a mapping looks for",
        "no_parent": "a row belongs to a row of another table that is not there",
        "several_rows": "a row belongs to one row of another table, and more than one is there",
        "no_lead": "none of a household's rows is its head",
        "several_leads": "more than one of a household's rows is its head",
        # a cell
        "error_value": "the cell of a workbook shows an error such as #N/A instead of a value",
        "formula_without_value": "the cell of a workbook has a formula whose value was never stored",
        "number_too_long": "the cell of a workbook has a number of more than 15 digits, which spreadsheets do not keep",
        "not_text": "the cell of a Parquet file or a data frame has bytes that are not UTF-8 text",
        "not_a_value": "the cell of a Parquet file, a data frame or JSON holds a record, a list of lists or the like",
        "required": "a cell that must be filled is empty",
        "not_a_whole_number": "the cell is not a whole number in plain digits",
        "not_a_number": "the cell is not a number in plain digits with a decimal point",
        "out_of_range": "the number lies outside the range that the column allows",
        "not_yes_no": "the cell is none of yes, no, true, false, 1, 0",
        "not_a_date": "the cell is not a date of the calendar written as 2026-11-22",
        "unknown_word": "the word is none of those that the column allows",
        "bad_list": "the items of a list are separated by something other than spaces or `;`",
        "not_a_language": "the item is not a language code of two letters",
        "half_a_coordinate": "only one of `lat` and `lon` is filled",
        "unknown_place": "no place of places.csv or of the gazetteer has this id, code or name",
        "ambiguous_place": "the name fits several settlements",
        "unknown_oblast": "no oblast has this code",
        # what the cells of one row say together
        "dates_reversed": "the last date is not later than the first",
        "sizes_reversed": "`min_persons` is more than `max_persons`",
        "tie_target": "a tie with no target, or with more than one",
        "tie_to_itself": "a household is tied to itself",
        "tie_without_max_km": "a required `near` does not say how far at most",
        "tie_to_a_place": "`same_site` or `same_accommodation` leads to a place",
        "override_target": "a `pin` or `forbid` with no target, or with two",
        # what rows say about one another
        "duplicate_id": "the id stands in several rows of the file",
        "duplicate_placement": "the household stands in several rows of placements.csv",
        "duplicate_pair": "travel.csv has the same pair twice in one direction",
        "unknown_household": "no row of households.csv has this id",
        "unknown_accommodation": "no row of accommodations.csv has this id",
        "persons_differ": "`persons` is not the number of rows of the household in members.csv",
        "tie_contradiction": "`apart` and a required `same_…` for one pair",
        # quarantine only
        "names_quarantined_row": "the row is sound, but names a row that is set aside",
        "cannot_quarantine": "the row cannot be set aside, because whom it protects cannot be told from it",
    }
)

NOTICE_CODES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "unknown_columns": "columns that are no part of the format; their cells are not kept",
        "unknown_file": "a .csv or .parquet file, or a sheet of a workbook, that is no part of the format; it is not read",
        "macros_ignored": "the workbook holds macros; they are neither read nor run",
        "links_ignored": "the workbook takes values from other files; the stored ones are read",
        "hxl_row": "the second line was recognised as HXL tags and skipped",
        "adm1_differs": "the `adm1` cell names another oblast than the place; the place counts",
        "repeated_tie": "a tie that repeats or reverses another one; each counts",
        "likely_double_household": "two households with the same members, ages and origin",
        "likely_double_offer": "two offers of one size at one address",
        "stale_offer": "an open offer that nobody has confirmed for long, or that has ended",
        "unknown_accessibility": "an open offer of which no feature is written down",
        "over_capacity": "accepted and moved-in placements are more persons than the offer's capacity",
        "mapping_without": "columns that a mapping could make, and for which the export has nothing",
        "mapping_no_table": "a table that a mapping can do without is not in the export",
        "mapping_left_out": "rows of an export that a mapping leaves out",
        "unknown_code": "a word of an export that no list of codes of the mapping knows; nothing follows from it",
        "example_row": "an example row of a template",
        "rooms_not_offered": "the rooms taken are not rooms of the accommodation",
    }
)

DERIVED: Final[str] = "names_quarantined_row"
