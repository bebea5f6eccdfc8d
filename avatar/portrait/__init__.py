"""One photo to a fitted 3D head: the one-time set-up of an avatar."""

from avatar.kernels import keep_kernels

keep_kernels()
