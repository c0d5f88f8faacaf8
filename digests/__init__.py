"""Digests, nudges and warnings, and the pages on which people choose or stop mail."""
