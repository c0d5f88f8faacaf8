"""The group of those staff who look at everything and change nothing.

A migration makes it; its rights follow the tables, after every migration. Whoever needs more gets another group beside
it, and a group that was deleted stays deleted.
"""

from django.contrib.auth.models import Group, Permission

SUPPORT = "Support"
APPS = ("projects", "notifications", "digests")


def let_support_look() -> None:
    """Give the group the right to see every table of ours."""
    group = Group.objects.filter(name=SUPPORT).first()
    if group is not None:
        views = Permission.objects.filter(content_type__app_label__in=APPS, codename__startswith="view_")
        group.permissions.add(*views.exclude(group=group))
