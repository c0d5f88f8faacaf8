"""Taking reports in: validate, record, decide, create deliveries, count usage."""
