"""The weekly digest: what happened in a workspace, for each person who asked for it."""
