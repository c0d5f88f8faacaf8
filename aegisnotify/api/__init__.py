"""The conventions of the API: strict JSON in, one shape of errors, pages of results, rate limits."""
