"""A transport whose HTTP side answers from a script, for tests of what happens around sending."""

from notifications.channels.base import Answer
from notifications.delivery.transport import Transport


class ScriptedHttp:
    """Answers posts in turn; the last answer goes on. `posts` is what was sent: (url, body, headers)."""

    def __init__(self, *answers):
        self.answers = list(answers) or [Answer(status=200)]
        self.posts = []

    def post(self, url, body, headers):
        self.posts.append((url, body, headers))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer(url) if callable(answer) else answer

    def close(self):
        pass


class CollectingMail:
    def __init__(self):
        self.messages = []

    def send(self, message):
        self.messages.append(message)

    def close(self):
        pass


def transport(*answers):
    return Transport(ScriptedHttp(*answers), CollectingMail())
