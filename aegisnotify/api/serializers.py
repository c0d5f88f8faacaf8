"""Serializers that take types at their word: in JSON the string "true" is no boolean and 12 is no string.

They describe bodies for the schema and check them; what they say about the world (is the slug free?) is for services.
"""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

__all__ = ["StrictBooleanField", "StrictCharField", "StrictIntegerField", "StrictSerializer"]


class StrictCharField(serializers.CharField):
    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise serializers.ValidationError("A string is expected.")
        return super().to_internal_value(data)


class StrictBooleanField(serializers.BooleanField):
    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            raise serializers.ValidationError("true or false is expected.")
        return data


class StrictIntegerField(serializers.IntegerField):
    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, int) or isinstance(data, bool):
            raise serializers.ValidationError("An integer is expected.")
        return super().to_internal_value(data)


class StrictSerializer(serializers.Serializer):
    """Refuses fields that it doesn't know: a misspelt setting that silently changes nothing helps nobody."""

    @classmethod
    def read(cls, data: Any, *, partial: bool = False) -> dict[str, Any]:
        """The values of a request's body. Raises `ValidationError`, which is answered 400 with the bad fields."""
        body = cls(data=data, partial=partial)
        body.is_valid(raise_exception=True)
        return dict(body.validated_data)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, Mapping):
            raise serializers.ValidationError({"non_field_errors": ["An object is expected."]})
        known = {name for name, field in self.fields.items() if not field.read_only}
        unknown = {str(name): ["This field is unknown or can't be written."] for name in data if name not in known}
        try:
            values: dict[str, Any] = super().to_internal_value(data)
        except serializers.ValidationError as error:
            raise serializers.ValidationError({**_as_dict(error.detail), **unknown}) from error
        if unknown:
            raise serializers.ValidationError(unknown)
        return values


def _as_dict(detail: Any) -> dict[str, Any]:
    return detail if isinstance(detail, dict) else {"non_field_errors": detail}
