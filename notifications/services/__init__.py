"""What changes channels, filters and deliveries. Pages, API, admin and commands call these and nothing below."""
