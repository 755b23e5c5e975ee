"""The report of a reproduction as a page, as Markdown and as JSON."""
