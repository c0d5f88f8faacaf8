"""The base of every view of the API."""

from typing import Any

from rest_framework import views
from rest_framework.exceptions import NotFound
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.mediatypes import media_type_matches

from aegisnotify.api.errors import LengthRequired
from aegisnotify.api.parsers import DEFAULT_BODY_LIMIT
from aegisnotify.api.throttling import Rate, TokenRateThrottle


class JSONOnly(BaseContentNegotiation):
    """Answers are JSON whatever Accept says (RFC 9110, section 12.5.1 allows it): a 406 would help nobody."""

    def select_parser(self, request: Request, parsers: Any) -> BaseParser | None:
        return next((parser for parser in parsers if media_type_matches(parser.media_type, request.content_type)), None)

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type


class APIView(views.APIView):
    """Strict JSON in, JSON out, rate-limit headers on every answer to somebody known.

    `body_limit` is the largest body in bytes.
    """

    content_negotiation_class = JSONOnly
    metadata_class = None
    body_limit = DEFAULT_BODY_LIMIT
    rate: Rate | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """As the framework's, but counted before permissions are asked: refusals are requests too."""
        self.format_kwarg = None
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request)
        request.version, request.versioning_scheme = None, None
        self.perform_authentication(request)
        self.check_throttles(request)
        self.check_permissions(request)
        if "HTTP_TRANSFER_ENCODING" in request.META and not request.META.get("CONTENT_LENGTH"):
            raise LengthRequired

    def check_throttles(self, request: Request) -> None:
        for throttle in self.get_throttles():
            allowed = throttle.allow_request(request, self)
            if isinstance(throttle, TokenRateThrottle):
                self.rate = throttle.rate
            if not allowed:
                self.throttled(request, throttle.wait() or 1)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        finished = super().finalize_response(request, response, *args, **kwargs)
        for name, value in (self.rate.headers if self.rate else {}).items():
            finished[name] = value
        return finished


class UnknownView(APIView):
    """Every address under /api/ that is none: an answer that a program can read, also where nobody is signed in."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise NotFound("There is nothing at this address.")
