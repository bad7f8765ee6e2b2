"""What no page may hold under the console's content policy: inline scripts, handlers, outside addresses."""

from html.parser import HTMLParser
from urllib.parse import urlsplit

DATA_TYPES = {"application/json", "text/template"}
ADDRESSES = {"src", "href", "action", "formaction", "srcset", "poster", "data", "hx-get", "hx-post"}


class _Finder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self._in_script = tag == "script" and "src" not in values and values.get("type") not in DATA_TYPES
        self.found += [f"<{tag} {name}>" for name in values if name.startswith("on")]
        for name in ADDRESSES & values.keys():
            parts = urlsplit("".join(values[name].split()))
            if parts.netloc or parts.scheme:
                self.found.append(f"<{tag} {name}={values[name][:80]}>")

    def handle_data(self, data: str) -> None:
        if self._in_script and data.strip():
            self.found.append(f"<script>{data.strip()[:80]}")

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False


def forbidden_in(page: str) -> list[str]:
    """Return each thing in the page that the policy would stop, or that leads or loads from elsewhere."""
    finder = _Finder()
    finder.feed(page)
    finder.close()
    return finder.found
