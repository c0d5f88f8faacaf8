"""What people can choose about their mail, under /api/v1/."""
