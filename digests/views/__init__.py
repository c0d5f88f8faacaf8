"""Pages on which people choose or stop mail."""
