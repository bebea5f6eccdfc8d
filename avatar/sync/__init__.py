"""Which sound belongs to which frame.

The agent's speech arrives in segments, faster or slower than it is heard. `SpeechTrack` hands it out frame by frame,
1 920 samples at 48 kHz for the listener and the same moment at 16 kHz for the motion model, so a picture and its sound
can't drift apart. A segment starts with a frame of its own: its sample s is heard in its frame s // 1 920.

What was handed out but not shown can be taken back (`rewind`): that is how a reply starts at once although idle frames
were planned already, and how pausing and interrupting are exact to the sample.
"""

from __future__ import annotations

from avatar.sync.samples import SampleBuffer
from avatar.sync.segment import OUTPUT_SAMPLES, SPEECH_SAMPLES, Segment, SoundFrame
from avatar.sync.speech import SpeechTrack
from avatar.sync.user import UserTrack

__all__ = ["OUTPUT_SAMPLES", "SPEECH_SAMPLES", "SampleBuffer", "Segment", "SoundFrame", "SpeechTrack", "UserTrack"]
