"""Masci, Meier, Cireşan and Schmidhuber 2011: one module a figure or table."""
