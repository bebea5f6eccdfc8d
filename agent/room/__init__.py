"""LiveKit rooms: a worker that joins them with the avatar, and the avatar for others' agents."""
