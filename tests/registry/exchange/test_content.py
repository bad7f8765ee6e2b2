"""What a file is, is told by its content, and the refusal says why and what to do."""

import io
import pickle
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import joblib
import pytest

from registry.exchange.content import Form, Refused, recognise


class Bomb:
    """What must never be read back: it would leave a file behind."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> Any:
        return Path.touch, (self.place,)


def joblib_bytes(content: Any, **how: Any) -> bytes:
    buffer = io.BytesIO()
    joblib.dump(content, buffer, **how)
    return buffer.getvalue()


def zip_of(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), content)
    return buffer.getvalue()


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_of_any_protocol_is_refused_unopened(protocol: int, tmp_path: Path) -> None:
    place = tmp_path / "ran"
    with pytest.raises(Refused, match="pickle"):
        recognise(pickle.dumps(Bomb(place), protocol))
    assert not place.exists()


@pytest.mark.parametrize("packing", [0, "zlib", "gzip", "bz2", "xz", "lzma"])
def test_a_joblib_file_is_refused_however_it_is_packed(packing: Any, tmp_path: Path) -> None:
    place = tmp_path / "ran"
    data = joblib_bytes(Bomb(place), compress=(packing, 3) if packing else 0)
    with pytest.raises(Refused, match=r"pickle.*Reading a pickle.*skops"):
        recognise(data)
    assert not place.exists()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (zip_of(archive__data_dot_pkl=b"x"), "PyTorch"),
        (zip_of(model_dot_pkl=b"x"), "holds pickles"),
        (zip_of(model_dot_weights_dot_h5=b"x"), "Keras"),
        (zip_of(readme_dot_txt=b"x"), "no skops file"),
        (zip_of(manifest_dot_json=b"{}"), "Import a model"),
        (zip_of(schema_dot_json=b"{}")[:-9], "cannot be read"),
        (b"\x89HDF\r\n\x1a\n" + bytes(40), "Keras"),
        (b"<PMML></PMML>", "PMML"),
        (b"\x93NUMPY\x01\x00", "numpy"),
        (b"\x1f\x8b\x08" + bytes(30), "packed"),
        (b"MZ\x90 anything", "neither skops nor ONNX"),
    ],
)
def test_other_files_are_refused_with_a_reason(data: bytes, words: str) -> None:
    with pytest.raises(Refused, match=words):
        recognise(data)


def test_a_tar_is_refused() -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("model.skops"))
    with pytest.raises(Refused, match="tar"):
        recognise(buffer.getvalue())


def test_the_two_formats_are_known_by_their_content() -> None:
    assert recognise(zip_of(schema_dot_json=b"{}")) is Form.SKOPS
    assert recognise(b"\x08\x0a\x12\x04test") is Form.ONNX
