"""The API's events, deliveries, channels and filters: parse, call one service, present."""
