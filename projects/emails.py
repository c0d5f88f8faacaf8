"""Email addresses as text."""


def normalize_email(address: str) -> str:
    """The form in which addresses are stored and compared: trimmed and lower case.

    RFC 5321 lets a server tell `Ann@` from `ann@`; none in use does, and people type either.
    """
    return address.strip().lower()


def masked(address: str) -> str:
    """`l•••@acme.example`: enough to recognise one's own address, too little to learn somebody else's."""
    name, at, domain = address.rpartition("@")
    return f"{name[:1]}•••{at}{domain}"
