"""What a file is, told by its content: names and endings prove nothing.

Only two formats are taken from outside, skops and ONNX. Of the others those that people really send are
recognised, so that the refusal can say what the file is, why it is not opened, and what to do instead.
"""

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable
from enum import StrEnum

HEAD = 4_096
INSTEAD = "Save it as skops (skops.io.dump) or convert it to ONNX, and import that file."


class Form(StrEnum):
    """A format that is taken from outside."""

    SKOPS = "skops"
    ONNX = "onnx"


class Refused(Exception):
    """The file is not taken; the text says why and what to do, for people."""


def recognise(data: bytes) -> Form:
    """Return the format of the content; raises Refused for all else. Nothing is parsed or unpacked."""
    if not data:
        raise Refused("The file is empty. Send a skops or an ONNX file.")
    if data[:4] == b"PK\x03\x04" or data[:4] == b"PK\x05\x06":
        return _zip_form(data)
    name = _pickled(data) or _other(data)
    if name:
        raise Refused(name)
    # An ONNX file begins with its first field, the release of the format: a small whole number.
    if len(data) > 1 and data[0] == 0x08 and 1 <= data[1] <= 127:
        return Form.ONNX
    raise Refused(f"The content is neither skops nor ONNX. {INSTEAD}")


def _pickled(data: bytes) -> str:
    """Why a pickle, packed or plain, is refused; empty where the file is none."""
    for head, packing in ((data[:HEAD], ""), *_unpacked_heads(data)):
        if _is_pickle(head):
            named = f"a pickle packed with {packing} (as joblib writes it)" if packing else "a pickle"
            return (
                f"The file is {named}. Reading a pickle (pickle, joblib, cloudpickle, dill) runs whatever "
                f"program stands in it, so none from outside is ever opened. {INSTEAD}"
            )
    return ""


def _is_pickle(head: bytes) -> bool:
    """A pickle of protocol 2 and above names it first; older ones begin with a mark or a module's name."""
    if len(head) > 1 and head[0] == 0x80 and head[1] <= 5:
        return True
    if head[:3] in (b"(lp", b"(dp") or head[:2] == b"(i":
        return b"\n" in head
    lines = head[:200].split(b"\n")
    module = lines[0][1:].replace(b".", b"").replace(b"_", b"")
    return head[:1] == b"c" and len(lines) > 2 and module.isalnum()


def _unpacked_heads(data: bytes) -> list[tuple[bytes, str]]:
    """The first bytes of what packed files hold; no more than a few thousand are unpacked."""
    openers: tuple[tuple[bytes, str, Callable[[], bytes]], ...] = (
        (b"x", "zlib", lambda: zlib.decompressobj().decompress(data[: 1 << 16], HEAD)),
        (b"\x1f\x8b", "gzip", lambda: gzip.GzipFile(fileobj=io.BytesIO(data)).read(HEAD)),
        (b"BZh", "bzip2", lambda: bz2.BZ2Decompressor().decompress(data[: 1 << 20], HEAD)),
        (b"\xfd7zXZ", "xz", lambda: lzma.LZMADecompressor().decompress(data[: 1 << 16], HEAD)),
        (b"\x5d\x00\x00", "lzma", lambda: lzma.LZMADecompressor().decompress(data[: 1 << 16], HEAD)),
    )
    found = []
    for magic, packing, unpack in openers:
        if data.startswith(magic):
            try:
                found.append((unpack(), packing))
            except (zlib.error, OSError, EOFError, lzma.LZMAError, ValueError):
                continue
    return found


def _other(data: bytes) -> str:
    if data.startswith(b"\x89HDF\r\n\x1a\n"):
        return f"The file is HDF5, as Keras writes it (.h5): it can hold Python code. {INSTEAD}"
    if data[257:262] == b"ustar":
        return f"The file is a tar archive. Take the model file out of it and send that. {INSTEAD}"
    for magic, name in _PACKINGS:
        if data.startswith(magic):
            return f"The file is packed ({name}). Unpack it and send the model file itself. {INSTEAD}"
    if data.startswith(b"\x93NUMPY"):
        return f"The file is a numpy array, no model. {INSTEAD}"
    if data.lstrip()[:1] in (b"<", b"{", b"["):
        return f"The file is text (XML, PMML or JSON), no model that can be opened here. {INSTEAD}"
    return ""


_PACKINGS = (
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"\x28\xb5\x2f\xfd", "Zstandard"),
    (b"\x04\x22\x4d\x18", "LZ4"),
    (b"7z\xbc\xaf", "7-Zip"),
)


def _zip_form(data: bytes) -> Form:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise Refused(f"The file is a zip that cannot be read ({error}). Send it again, whole.") from error
    if "schema.json" in names:
        return Form.SKOPS
    if any(name.endswith("data.pkl") for name in names):
        raise Refused(
            "The file is a PyTorch checkpoint (.pt): it holds a pickle, and reading a pickle runs whatever "
            f"program stands in it. Export the network with torch.onnx.export. {INSTEAD}"
        )
    if any(name.endswith((".pkl", ".pickle", ".joblib")) for name in names):
        raise Refused(
            "The zip holds pickles, and reading a pickle runs whatever program stands in it, so none from "
            f"outside is ever opened. {INSTEAD}"
        )
    if any(name.endswith((".weights.h5", "keras_metadata.pb", "saved_model.pb")) for name in names):
        raise Refused(f"The file is a Keras or TensorFlow model, which may hold code. Use tf2onnx. {INSTEAD}")
    if "manifest.json" in names:
        raise Refused(
            "The file is an archive of this platform. Import it as a whole model ('Import a model'), not as "
            "a version."
        )
    raise Refused(f"The zip is no skops file: it has no schema.json. {INSTEAD}")
