"""The page a coordinator reads (`report.html`), from data alone: one file, no request to any network."""

from matcher.report.data import report_data
from matcher.report.night import Night
from matcher.report.page import data_of_page, page, public_page

__all__ = ["Night", "data_of_page", "page", "public_page", "report_data"]
