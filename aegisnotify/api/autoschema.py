"""How an operation is described: only by what is written for its readers, and by the scope it asks for."""

from typing import Any

from drf_spectacular.openapi import AutoSchema


class ScopedSchema(AutoSchema):
    def get_description(self) -> str:  # type: ignore[override]
        """Nothing by itself: docstrings are for readers of the code; `extend_schema(description=…)` is published."""
        return ""

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        scope = getattr(self.view, "scopes", {}).get(self.method)
        if operation is not None and scope is not None:
            parts = [operation.get("description", ""), f"Scope: `{scope}`."]
            operation["description"] = "\n\n".join(part for part in parts if part)
        return operation
