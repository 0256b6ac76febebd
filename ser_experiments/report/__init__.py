"""What is said of a setting and its runs: the board, and the report of a study as a page, as Markdown and as LaTeX."""
