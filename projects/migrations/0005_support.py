"""The group of staff who look at everything. Its rights are given after migrations: they follow the tables."""

from django.db import migrations

NAME = "Support"


def make(apps, schema_editor):
    apps.get_model("auth", "Group").objects.get_or_create(name=NAME)


def remove(apps, schema_editor):
    apps.get_model("auth", "Group").objects.filter(name=NAME).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("projects", "0004_sweeping_and_closing"),
    ]

    operations = [migrations.RunPython(make, remove)]
