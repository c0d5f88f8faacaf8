"""What tests of accounts share: mails, the links in them, and forms as a browser without JavaScript posts them."""

import re

from bs4 import BeautifulSoup
from django.core import mail


def mails_to(address):
    return [message for message in mail.outbox if message.to == [address]]


def link_in(message):
    """The path of the link that the mail is about: the same in both parts."""
    (path,) = set(re.findall(r"http://testserver(/\S+)", message.body))
    assert f'href="http://testserver{path}"' in message.alternatives[0][0].replace("&amp;", "&")
    return path


def soup(response):
    return BeautifulSoup(response.content, "html.parser")


def text_of(response):
    return " ".join(soup(response).get_text(" ").split())


def post_form(client, page, action, **values):
    """Post the form of a page that goes to `action`, with what it is filled with and `values`."""
    shown = soup(client.get(page))
    form = next(form for form in shown.find_all("form") if (form.get("action") or page).partition("?")[0] == action)
    data = {field["name"]: field.get("value", "") for field in form.find_all("input") if field.get("name")}
    for select in form.find_all("select"):
        chosen = select.find("option", selected=True) or select.find("option")
        data[select["name"]] = chosen.get("value", chosen.get_text())
    return client.post(form.get("action") or page, {**data, **values}, follow=True)
