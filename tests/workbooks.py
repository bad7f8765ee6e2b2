"""Excel workbooks made from their XML, honest ones and others."""

import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from xml.sax.saxutils import escape

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
HEAD = '<?xml version="1.0"?>'
DATE_STYLES = (
    f'{HEAD}<styleSheet xmlns="{MAIN}"><cellXfs count="2"><xf numFmtId="0"/>'
    '<xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>'
)


def workbook_rows(rows: Iterable[Iterable[object]], *, escaped: bool = True) -> str:
    """Return a sheet's rows as XML; a text that begins with ``<c`` stands for a cell of its own making."""
    cells = (
        "".join(_cell(number, place, value, escaped) for place, value in enumerate(row))
        for number, row in enumerate(rows, 1)
    )
    return "".join(f'<row r="{number}">{row}</row>' for number, row in enumerate(cells, 1))


def _cell(number: int, place: int, value: object, escaped: bool) -> str:
    name = f"{chr(65 + place)}{number}"
    if value is None:
        return ""
    if isinstance(value, bool):
        return f'<c r="{name}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, int | float):
        return f'<c r="{name}"><v>{value}</v></c>'
    text = str(value)
    if text.startswith("<c"):
        return text.format(name=name)
    return f'<c r="{name}" t="inlineStr"><is><t>{escape(text) if escaped else text}</t></is></c>'


def make_workbook(path: Path, sheets: Mapping[str, str], *, doctype: str = "") -> Path:
    """Write a workbook with these sheets, each given as the XML of its rows."""
    names = list(sheets)
    listed = "".join(
        f'<sheet name="{escape(name)}" sheetId="{n}" r:id="r{n}"/>' for n, name in enumerate(names, 1)
    )
    links = "".join(
        f'<Relationship Id="r{n}" Type="{LINKS}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in range(1, len(names) + 1)
    )
    styles = f'<Relationship Id="s" Type="{LINKS}/styles" Target="styles.xml"/>'
    book = f'<Relationship Id="r" Type="{LINKS}/officeDocument" Target="xl/workbook.xml"/>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", f'{HEAD}<Types xmlns="{PACKAGE}/content-types"/>')
        archive.writestr(
            "_rels/.rels", f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships">{book}</Relationships>'
        )
        archive.writestr(
            "xl/workbook.xml",
            f'{HEAD}<workbook xmlns="{MAIN}" xmlns:r="{LINKS}"><sheets>{listed}</sheets></workbook>',
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships">{links}{styles}</Relationships>',
        )
        archive.writestr("xl/styles.xml", DATE_STYLES)
        for n, rows in enumerate(sheets.values(), 1):
            archive.writestr(
                f"xl/worksheets/sheet{n}.xml",
                f'{HEAD}{doctype}<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>',
            )
    return path
