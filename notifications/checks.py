"""System checks of the notification settings."""
