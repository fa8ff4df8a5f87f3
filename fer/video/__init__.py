"""Faces in moving pictures: who is who, where they are between two detections, and what they show, without flicker.

flow        where a face went from one frame to the next
smoothing   probabilities over time, and a label that does not flicker
tracking    identities
live        frames in, tracked faces out, never waiting for the model
history     what was seen, in bounded memory
stream      what a video connection calls for each frame
connection  servers for viewers far away
files       reading cameras, files and streams; decoding does it
mp4, sound  writing a file, with the sound of another
clip        a whole file through the engine; clip_job does it in the background
clip_result what was seen in it: spans, transitions, key moments; subtitles
hindsight   probabilities over time where the future is known
reunion     who comes back
interrupt   Ctrl-C for commands that take frame after frame
"""
