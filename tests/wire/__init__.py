"""A real server on this machine, asked as any client asks it."""
