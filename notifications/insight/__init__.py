"""Why somebody was told or not: sentences, traces."""
