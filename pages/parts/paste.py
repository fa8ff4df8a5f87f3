"""A button that pastes pictures into the page's uploader, which Streamlit's uploader cannot do."""

from pages.parts.component import own_part

paste_button = own_part("paste", '<div><button type="button">Paste a photo</button> <span role="status"></span></div>')
"""Show a button that pastes a picture into the uploader; Ctrl+V does the same anywhere on the page."""
