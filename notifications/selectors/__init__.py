"""Reading notifications: for routing, pages and API."""
