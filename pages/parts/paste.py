"""Pictures from the clipboard, for a page that has an uploader: Streamlit's takes none."""

from pages.parts.component import own_part

paste_button = own_part(
    "paste", '<div><button type="button">Paste a picture</button> <span role="status"></span></div>'
)
"""Show a button that pastes; Ctrl+V does so anywhere on the page. What is pasted appears in the uploader."""
