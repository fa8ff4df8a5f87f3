"""From a picture to its faces and their expressions."""
