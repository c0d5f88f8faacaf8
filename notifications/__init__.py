"""The heart: events, routing, channels, delivery."""
