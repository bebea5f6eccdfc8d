"""The voice loop, on livekit-agents."""
