"""The report: results as Markdown and as one HTML page."""
