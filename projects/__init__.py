"""Who: users, workspaces, plans, projects, tokens, usage, audit."""
