"""The daily digest of an email channel: what it held, in one mail to each of its recipients."""
