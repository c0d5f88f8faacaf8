"""Retention nudges: a reminder after 7 days without activity, one after 30, then silence."""
