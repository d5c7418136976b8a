"""Makhzani and Frey 2014: one module a figure or table."""
