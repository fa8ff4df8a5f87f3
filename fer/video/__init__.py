"""Faces in moving pictures: who is who, where they are between two detections, and what they show, without flicker.

follow      who is who and when to look, from frames and their times; stands on
            flow (where a face went), tracking (identities) and smoothing (no flicker)
live        a camera or a stream: the newest frame counts, the model holds nothing up
clip        a file: every frame, with hindsight (the future is known) and reunion (who comes back)
timeline    what was seen, of whatever source, in bounded memory: spans, transitions, key moments
neutral     what is taken off a person whose face looks sad or angry at rest
settings    what may be set
stream      what a video connection calls for each frame
job         a file that is looked at in the background
io          reading cameras, files and streams, writing a file, with the sound of another
"""
