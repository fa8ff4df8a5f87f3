"""Find the faces of a picture and read their expressions."""
