"""A report as HTML: a piece for a page of the console, or a whole page that needs nothing beside it."""

from html import escape

from mlplatform.pictures import Figure
from monitoring.reporting.articles import serves_words
from monitoring.reporting.document import Block, Chapter, Report
from registry.cards.html import block_html


def report_page(report: Report, styles: str) -> str:
    """Return the report as a whole page, with these style rules of ours within."""
    # No address of another place is in it, and with this rule a reader's browser would ask for none.
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(report.content.title)}</title>\n<style>{styles}</style>\n</head>\n"
        f'<body class="m-page">\n{report_body(report)}\n</body>\n</html>\n'
    )


def report_body(report: Report) -> str:
    """Return the report as one article."""
    content = report.content
    verdict = "".join(f"<li>{escape(sentence)}</li>" for sentence in content.verdict)
    first = (
        f"<header><h1>{escape(content.title)}</h1></header>{block_html(content.about)}"
        f'<section class="m-verdict"><h2>In short</h2><ol>{verdict}</ol></section>'
    )
    chapters = "".join(map(_chapter, content.chapters))
    made = f"<section><h2>About this report</h2>{block_html(report.made)}</section>"
    return f'<article class="m-card">{first}{chapters}{made}</article>'


def _chapter(chapter: Chapter) -> str:
    serves = serves_words(list(chapter.serves))
    line = f'<p class="m-note">{escape(serves)}</p>' if serves else ""
    return f"<section><h2>{escape(chapter.title)}</h2>{line}{''.join(map(_block, chapter.blocks))}</section>"


def _block(block: Block) -> str:
    if not isinstance(block, Figure):
        return block_html(block)
    # The picture is of mlplatform.pictures, which escapes every word.
    return (
        f'<figure class="m-figure"><h3>{escape(block.title)}</h3>{block.picture}'
        f"<figcaption>{escape(block.words)}</figcaption></figure>"
    )
