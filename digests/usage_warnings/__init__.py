"""Usage warnings: at 80 % and 100 % of a month's runs or scans, to the owner and the admins."""
