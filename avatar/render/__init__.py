"""Fitted head and motion to pixels."""

from avatar.kernels import keep_kernels

keep_kernels()
