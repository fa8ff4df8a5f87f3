"""Faces in videos: who is who, where they are between two detections, and what they show, without flicker.

follow      tracks people and decides when the model runs, from frames and their times; built on
            flow (where a face moved), tracking (who is who) and smoothing (no flicker)
live        a camera or a stream: the newest frame counts, and the model delays nothing
clip        a file: every frame, with hindsight (the future is known) and reunion (people who come back)
timeline    the readings of any source, in bounded memory: spans, transitions, key moments
neutral     what is subtracted for a person whose face looks sad or angry at rest
settings    the settings of live videos and files
stream      called by a video connection for each frame
job         a file that is analyzed in the background
io          read cameras, files and streams; write a file, with the sound of another
"""
