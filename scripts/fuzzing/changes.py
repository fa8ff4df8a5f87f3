"""Changes that make a valid file damaged, odd or hostile."""

import io
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from random import Random
from typing import Any

from scripts.fuzzing.seeds import Seed, zipped

NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**63 - 1, 2**64 - 1)
"""Values at which sizes and lengths overflow."""
NAMES = (
    *("<img src=http://example.org/x.png>", "[a](http://example.org)", "![a](http://example.org/a.png)", ":smile:"),
    *("../../up.png", "/etc/up.png", "C:\\up.png", "\\\\host\\up.png", "a/../../b.png", "..", ".", "", " ", "~root"),
    *("a\0b.png", "a\nb.png", "\x1b[31mred.png", "\u202egnp.exe", "n" * 300 + ".png", "d/" * 200 + "a.png", "CON.png"),
    *(
        "=1+1.csv",
        "-rf.png",
        "\udcff.png",
        "\N{SNOWMAN}.png",
        "$(touch up).png",
        "@eaDir",
        ".hidden.png",
        "a.png/",
        "%s",
    ),
)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**63, -(2**63), 10**400, 1e308, -1e308, 5e-324, 0.5, float("nan")),
    *(
        float("inf"),
        float("-inf"),
        "",
        "0",
        "nan",
        "running",
        [],
        {},
        [[]],
        [None],
        {"": None},
        "\ud800",
        "x" * 100_000,
    ),
)
LINES = ("", "a", '"', "\ufeff", "\0", "1e999", "nan", "-1", "9" * 400, ",,,,,", "é" * 50, "../../etc/passwd", "=1+1")
"""For texts and tables."""

Change = Callable[[Random, bytes, Sequence[bytes]], bytes]


def changed(random: Random, seed: Seed, others: Sequence[Seed], foreign: Sequence[bytes]) -> Seed:
    """Return a folder with one or two of its files changed.

    Args:
        random: source of randomness.
        seed: the folder.
        others: folders of the same kind, whose parts may be mixed in.
        foreign: files of other kinds, one of which may replace a file.
    """
    files = dict(seed)
    for name in random.sample(sorted(files), min(len(files), random.choice((1, 1, 2)))):
        suffix = PurePosixPath(name).suffix.lower()
        like = [
            data for other in others for path, data in other.items() if PurePosixPath(path).suffix.lower() == suffix
        ]
        what = random.random()
        if what < 0.03:
            files[name] = random.choice(foreign)
        elif what < 0.05 and len(files) > 1:
            del files[name]
        elif what < 0.08:
            files[name] = files[random.choice(sorted(files))]
        else:
            files[name] = _changed_file(random, suffix, files[name], like)
    return files


def _changed_file(random: Random, suffix: str, data: bytes, like: Sequence[bytes]) -> bytes:
    fitting = {
        ".json": (changed_json, 0.8),
        ".jsonl": (changed_lines, 0.8),
        ".npz": (_changed_npz, 0.8),
        ".safetensors": (_changed_header, 0.7),
        ".png": (_changed_chunks, 0.6),
        ".csv": (_changed_text, 0.7),
        ".txt": (_changed_text, 0.7),
        ".y4m": (_changed_text, 0.3),
    }
    change, share = fitting.get(suffix, (changed_bytes, 1.0))
    return (change if random.random() < share else changed_bytes)(random, data, like)


def changed_bytes(random: Random, data: bytes, like: Sequence[bytes] = ()) -> bytes:
    """Flip, cut, repeat, insert and splice bytes, and write odd numbers where sizes may be."""
    for _ in range(random.choice((1, 1, 1, 2, 4, 16))):
        if not data:
            return data
        # Most important data are at the beginning or at the end.
        place = random.choice((random.randrange(len(data)), random.randrange(min(len(data), 128))))
        place = random.choice((place, place, len(data) - 1 - place))
        length = random.choice((1, 4, 64, 1024))
        what = random.randrange(8)
        if what <= 1:
            data = data[:place] + bytes([data[place] ^ 1 << random.randrange(8)]) + data[place + 1 :]
        elif what <= 3:
            size = random.choice((1, 2, 4, 8))
            number = random.choice(NUMBERS) % 256**size
            data = data[:place] + number.to_bytes(size, random.choice(("big", "little"))) + data[place + size :]
        elif what == 4:
            data = data[:place] if random.random() < 0.5 else data[:place] + data[place + length :]
        elif what == 5:
            data = data[: place + length] + data[place : place + length] * random.choice((1, 3, 30)) + data[place:]
        elif what == 6:
            data = data[:place] + random.randbytes(length) + data[place:]
        elif like:
            other = random.choice(like)
            data = data[:place] + other[random.randrange(len(other) + 1) :]
    return data


def changed_json(random: Random, data: bytes, like: Sequence[bytes] = ()) -> bytes:
    """Change some values, names or the nesting of a JSON text, which mostly remains JSON."""
    value = json.loads(data)
    for _ in range(random.choice((1, 1, 2, 4))):
        value = _changed_value(random, value)
    return json.dumps(value).encode()


def _changed_value(random: Random, value: Any) -> Any:
    if isinstance(value, (dict, list)) and value and random.random() < 0.9:
        keys = list(value) if isinstance(value, dict) else range(len(value))
        key, what = random.choice(keys), random.random()
        if what < 0.75:
            value[key] = _changed_value(random, value[key])
        elif what < 0.85:
            del value[key]
        elif isinstance(value, list):
            value.extend([value[key]] * random.choice((1, 100)))
        else:
            value[random.choice((*NAMES, *keys))] = value[key]
        return value
    what = random.random()
    if what < 0.1:
        return [value]
    if what < 0.15:
        depth = random.choice((50, 500))
        for _ in range(depth):
            value = [value] if random.random() < 0.5 else {"a": value}
        return value
    if isinstance(value, (int, float)) and what < 0.5:
        return random.choice((-value, 10 * value, value * 0, value + 1, 0.3, 1e9, 1e300))
    return random.choice((*VALUES, *NAMES))


def changed_lines(random: Random, data: bytes, like: Sequence[bytes] = ()) -> bytes:
    """Change one line of JSON Lines."""
    lines = data.splitlines(keepends=True)
    place = random.randrange(len(lines))
    return b"".join([*lines[:place], changed_json(random, lines[place]) + b"\n", *lines[place + 1 :]])


def _changed_text(random: Random, data: bytes, like: Sequence[bytes]) -> bytes:
    """Change a number, a cell, a line or the encoding of a text."""
    text = data.decode("utf-8", "replace")
    what = random.randrange(5)
    if what == 0:
        return text.encode(random.choice(("utf-16", "cp1252", "utf-8-sig")), "replace")
    if what == 1:
        lines = text.splitlines(keepends=True)
        place = random.randrange(len(lines))
        lines[place] *= random.choice((0, 2, 50))
        return "".join(lines).encode()
    cells = list(re.finditer(r"[^,\s]+", text))
    cell = random.choice(cells[: random.choice((8, len(cells)))])
    word = random.choice(LINES) if what < 4 else random.choice(NAMES)
    return (text[: cell.start()] + word + text[cell.end() :]).encode("utf-8", "surrogatepass")


def _changed_npz(random: Random, data: bytes, like: Sequence[bytes]) -> bytes:
    """Change one array in an .npz, and repack it, so that its checksum is valid."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    name = random.choice(sorted(files))
    body = files[name]
    if name == "about.npy" and random.random() < 0.8:
        import numpy as np

        about = changed_json(random, str(np.load(io.BytesIO(body))).encode()).decode()
        buffer = io.BytesIO()
        np.save(buffer, np.array(about))
        files[name] = buffer.getvalue()
    else:
        files[name] = changed_bytes(random, body)
    return zipped(files, zipfile.ZIP_STORED)


def _changed_header(random: Random, data: bytes, like: Sequence[bytes]) -> bytes:
    """Change the JSON header of a safetensors file, or the model's JSON in it, or some weights."""
    length = int.from_bytes(data[:8], "little")
    header, body = json.loads(data[8 : 8 + length]), data[8 + length :]
    what = random.random()
    if what < 0.6 and "model" in header["__metadata__"]:
        model = header["__metadata__"]["model"]
        header["__metadata__"]["model"] = changed_json(random, model.encode()).decode()
    elif what < 0.85:
        header = _changed_value(random, header)
    elif body:
        place = random.randrange(len(body))
        body = body[:place] + random.choice((b"\xff\x7f", b"\0\x7c", b"\xff\xff\xff\x7f")) * 8 + body[place + 16 :]
    packed = json.dumps(header).encode()
    return len(packed).to_bytes(8, "little") + packed + body


def _changed_chunks(random: Random, data: bytes, like: Sequence[bytes]) -> bytes:
    """Change a chunk of a PNG and its checksum, so that the decoder gets to see it."""
    place, chunks = 8, []
    while place + 12 <= len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        chunks.append((data[place + 4 : place + 8], data[place + 8 : place + 8 + length]))
        place += 12 + length
    number = random.choice((0, random.randrange(len(chunks))))
    kind, body = chunks[number]
    chunks[number : number + 1] = [(kind, changed_bytes(random, body))] * random.choice((1, 1, 1, 0, 2))
    packed = (
        len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big") for kind, body in chunks
    )
    return data[:8] + b"".join(packed)


def packed(random: Random, files: Seed) -> bytes:
    """Pack a folder as a ZIP, with a few entries that no honest program writes."""
    files = dict(files)
    for _ in range(random.choice((0, 0, 0, 1, 2))):
        name = random.choice(sorted(files)) if files else "a.png"
        what = random.randrange(3)
        if what == 0:
            files[random.choice(NAMES)] = files.get(name, b"")
        elif what == 1:
            folder = str(PurePosixPath(name).parent)
            files[f"{folder}/{random.choice(NAMES)}"] = files.get(name, b"")
        else:
            files[f"zeros{random.choice(('.png', '.csv', '.txt'))}"] = bytes(random.choice((0, 10**6, 4 * 10**7)))
    files = {name.encode("utf-8", "replace").decode(): data for name, data in files.items()}
    method = random.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
    data = zipped(files, method)
    return changed_bytes(random, data) if random.random() < 0.3 else data
