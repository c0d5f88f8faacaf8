"""The order of a project's channels, which decides what a smaller plan carries."""

from django.db import transaction

from notifications.models import Channel
from notifications.services.channels import update_channel
from projects.actors import Actor
from projects.models import Project


@transaction.atomic
def move_channel(actor: Actor, channel: Channel, places: int) -> bool:
    """Move it by so many places, down for positive numbers, as far as the list goes. Whether anything moved."""
    # The project's row is what every change of its channels locks.
    Project.objects.select_for_update().get(pk=channel.project_id)
    before = list(Channel.objects.filter(project=channel.project_id).defer("config"))
    index = next((index for index, each in enumerate(before) if each.pk == channel.pk), None)
    if index is None:
        return False
    after = [*before[:index], *before[index + 1 :]]
    after.insert(max(index + places, 0), before[index])
    if after == before:
        return False
    for position, each in enumerate(after):
        if each.position != position:
            update_channel(actor, each, position=position)
    return True
