"""Fitted head and motion to pixels."""
