"""Nobody but staff gets anything from the admin site."""

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import URLPattern, reverse

# Signing in and out.
OPEN = {"login", "logout"}


def patterns(found):
    for pattern in found:
        if isinstance(pattern, URLPattern):
            yield pattern
        else:
            yield from patterns(pattern.url_patterns)


def address_of(pattern):
    given = {"app_label": "projects"}
    return reverse(
        f"admin:{pattern.name}", kwargs={name: given.get(name, "1") for name in pattern.pattern.regex.groupindex}
    )


@pytest.mark.parametrize("method", ["get", "post"])
def test_only_staff_gets_in(people, method):
    addresses = [
        address_of(pattern) for pattern in patterns(admin.site.urls[0]) if pattern.name and pattern.name not in OPEN
    ]
    assert len(addresses) > 50
    for user in (people.owner, None):
        client = Client()
        if user:
            client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        for address in addresses:
            response = getattr(client, method)(address)
            assert response.status_code == 302, address
            assert response["Location"].startswith("/admin/login/?next="), address
