"""Where synchronised frames go: a video file, a web page, a room, a virtual camera."""
