"""The quickstart and its receiver: a stand-in for Slack, Discord, Teams, a webhook endpoint and a mail server.

It answers as they do and shows what arrived. It keeps files, not rows, so it needs no database and no model.
"""
