"""Facial expression recognition: MTCNN finds the faces, a ResNet names their expressions, everything runs locally.

    from fer.images import read_image
    from fer.recognition.recognizer import Recognizer

    faces = Recognizer.load().recognize(read_image("photo.jpg"))

Importing this package imports neither torch nor Streamlit.
"""

__version__ = "0.1.0"
