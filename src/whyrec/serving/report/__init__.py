"""A self-contained web page that shows a forecast, says why, and links every checked claim to what it rests on."""

from whyrec.serving.report.content import ReportContent, ReportItem, ReportPerson
from whyrec.serving.report.page import render_report, write_report

__all__ = ["ReportContent", "ReportItem", "ReportPerson", "render_report", "write_report"]
