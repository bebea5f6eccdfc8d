"""Measures the live conversation against its budgets, with the real models, in real time."""
