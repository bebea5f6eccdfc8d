"""The conversation as a web page: signalling, sessions, uploads, and the page itself."""
