"""AegisNotify: the project package. Settings, urls and what every app shares and none owns."""

__version__ = "0.1.0"
