"""A card as HTML: a piece for a page of the console, or a whole page that needs nothing beside it."""

from html import escape

from registry.cards.document import Block, Document, Facts, Grid, Part, Prose, Sentence


def card_page(document: Document, styles: str) -> str:
    """The card as a whole page, with these style rules of ours within."""
    title = escape(document.title)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{styles}</style>\n</head>\n"
        f'<body class="m-page">\n{card_body(document)}\n</body>\n</html>\n'
    )


def card_body(document: Document) -> str:
    """The card as one article."""
    head = f"<header><h1>{escape(document.title)}</h1><p>{escape(document.lead)}</p></header>"
    return f'<article class="m-card">{head}{"".join(map(_part, document.parts))}</article>'


def _part(part: Part) -> str:
    return f"<section><h2>{escape(part.title)}</h2>{''.join(map(block_html, part.blocks))}</section>"


def block_html(block: Block) -> str:
    """One block, its texts escaped."""
    if isinstance(block, Sentence):
        return f'<p class="{"m-missing" if block.missing else "m-said"}">{escape(block.text)}</p>'
    if isinstance(block, Facts):
        rows = "".join(
            f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in block.rows
        )
        return f"<dl>{rows}</dl>"
    return _grid(block) if isinstance(block, Grid) else _prose(block)


def _prose(block: Prose) -> str:
    told = "".join(f"<p>{'<br>'.join(map(escape, lines))}</p>" for lines in block.paragraphs())
    note = f'<p class="m-note">{escape(block.note)}</p>' if block.note else ""
    return f"<h3>{escape(block.title)}</h3>{told}{note}"


def _grid(block: Grid) -> str:
    title = f"<h3>{escape(block.title)}</h3>" if block.title else ""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in block.columns)
    rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in block.rows)
    note = f'<p class="m-note">{escape(block.note)}</p>' if block.note else ""
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    name = escape(block.title or "Table")
    return f'{title}<div class="m-scroll" tabindex="0" role="region" aria-label="{name}">{table}</div>{note}'
