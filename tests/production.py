"""What a browser sees of an installation with production settings, as JSON: `python -m tests.production`.

A process of its own, since settings are read once. The database is SQLite: what is looked at depends on the https in
AEGIS_BASE_URL alone.
"""

import json
import sys

import django

PASSWORD = "correct horse battery"


def headers_of(response):
    return {name.lower(): value for name, value in response.headers.items()}


def main():
    django.setup()
    from django.core.management import call_command
    from django.test import Client

    from projects.models import User

    call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=["rest_framework", "drf_*"])
    call_command("migrate", verbosity=0)
    for email in ("ann@example.com", "ben@example.com"):
        User.objects.create_user(email=email, password=PASSWORD)

    browser = {"headers": {"host": "notify.example.com"}, "raise_request_exception": False}
    plain, secure = Client(**browser), Client(**browser)
    seen = {"pages": {}, "static": {}}
    for path in ("/login/", "/signup/", "/password-reset/", "/admin/login/", "/nothing-here/", "/u/x/"):
        seen["pages"][path] = headers_of(secure.get(path, secure=True))
    redirected = plain.get("/login/?next=/x")
    seen["redirect"] = [redirected.status_code, redirected.headers.get("Location")]
    seen["probe"] = plain.get("/healthz").status_code
    seen["other_host"] = Client(headers={"host": "evil.example.com"}).get("/login/", secure=True).status_code

    page = secure.get("/login/", secure=True).content.decode()
    links = {piece.partition('"')[0] for piece in page.split('"/static/')[1:]}
    for link in links:
        response = secure.get(f"/static/{link}", secure=True)
        seen["static"][link] = [response.status_code, response.headers.get("Cache-Control")]

    login = {"username": "ann@example.com", "password": PASSWORD}
    secure.post("/login/", login, secure=True)
    seen["cookies"] = {
        name: [bool(morsel["secure"]), bool(morsel["httponly"]), morsel["samesite"]]
        for name, morsel in secure.cookies.items()
    }
    seen["signed_in"] = secure.get("/profile/", secure=True).status_code
    stranger = Client(**browser)
    wrong = {"username": "ben@example.com", "password": "wrong"}
    seen["wrong"] = [stranger.post("/login/", wrong, secure=True).status_code for _ in range(7)]
    seen["right_after"] = stranger.post("/login/", {**wrong, "password": PASSWORD}, secure=True).status_code
    seen["locked_out_is_signed_in"] = "_auth_user_id" in stranger.session
    sys.stdout.write(json.dumps(seen))


if __name__ == "__main__":
    main()
