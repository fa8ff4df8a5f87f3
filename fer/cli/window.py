"""A window for video, with Tk from the standard library: OpenCV is installed without window support."""

import contextlib
import time
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from fer.errors import VideoError

if TYPE_CHECKING:
    import tkinter

WAY_OUT = "or run without a window: --no-window, with --output FILE.mp4 or --json"
_LARGEST_SHARE = 0.9
"""Share of the screen; larger pictures are scaled down to it."""


class VideoWindow:
    """Shows pictures until it is closed or q or Escape is pressed. Use it from the main thread only, as Tk requires."""

    def __init__(self, title: str, text: str) -> None:
        """Open the window with a text in it.

        Raises:
            VideoError: this Python has no Tk, or there is no display.
        """
        try:
            import tkinter

            from PIL import ImageTk
        except ImportError as error:
            raise VideoError(
                f"expected Tk for the window, but this Python has none ({error}). Install it "
                f"(Debian, Ubuntu: apt install python3-tk; Homebrew: brew install python-tk), {WAY_OUT}."
            ) from error
        try:
            self._root = tkinter.Tk()
        except tkinter.TclError as error:
            raise VideoError(
                f"expected a display for the window, found none ({error}). Log in to a desktop, {WAY_OUT}."
            ) from (error)
        self.open = True
        self._ended = tkinter.TclError
        self._photo_of = ImageTk.PhotoImage
        self._photo: ImageTk.PhotoImage | None = None
        self._root.title(title)
        self._root.configure(background="black")
        self._label = tkinter.Label(self._root, text=text, background="black", foreground="white", padx=80, pady=60)
        self._label.pack(expand=True)
        self._root.protocol("WM_DELETE_WINDOW", self._close)
        for key in ("q", "Q", "<Escape>"):
            self._root.bind(key, self._close)
        self.update()

    def _close(self, event: "tkinter.Event[tkinter.Misc] | None" = None) -> None:
        self.open = False

    def update(self) -> None:
        """Process mouse and keyboard events."""
        try:
            self._root.update()
        except self._ended:  # the display is gone
            self.open = False

    def show(self, image: np.ndarray) -> None:
        """Show a picture, RGB uint8 (H, W, 3)."""
        try:
            picture = Image.fromarray(image)
            screen_wh = self._root.winfo_screenwidth(), self._root.winfo_screenheight()
            picture.thumbnail((_LARGEST_SHARE * screen_wh[0], _LARGEST_SHARE * screen_wh[1]))
            if self._photo is None or (self._photo.width(), self._photo.height()) != picture.size:
                self._photo = self._photo_of(picture)
                self._label.configure(image=self._photo, padx=0, pady=0)
            else:
                self._photo.paste(picture)
        except self._ended:
            self.open = False
        self.update()

    def wait(self, until: float) -> None:
        """Wait until a moment of `time.monotonic()`, or until the window is closed."""
        self.update()
        while self.open and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.02))
            self.update()

    def close(self) -> None:
        """Close the window."""
        self.open = False
        with contextlib.suppress(self._ended):  # already gone with the display
            self._root.destroy()
