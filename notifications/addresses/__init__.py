"""Email addresses: who confirmed, who wants no more mail, where mail bounced. Routing reads it."""
