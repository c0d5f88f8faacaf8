"""What changes people, workspaces, plans, projects, tokens and usage. Every change is audited in its transaction."""
