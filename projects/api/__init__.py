"""The API's projects and usage, and what every view of a workspace's data starts from."""
