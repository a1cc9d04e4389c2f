"""Figures drawn from tables of the results: (table, words, ...) -> Figure, the same in the notebook and on the page."""
