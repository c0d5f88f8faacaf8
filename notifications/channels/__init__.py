"""The kinds of channel. Adding one: a folder here and its line in `registry`."""
