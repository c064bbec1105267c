"""Which pages and versions a collector lets in, so that nobody can fill the store with names."""

from services.common.reading import RefusedError

PAGES_MAX = 50_000
VERSIONS_MAX = 20
_DAY_MS = 86_400_000


class Admission:
    """So many pages of a site and versions of a page a day, and from then on only those."""

    def __init__(self, pages_max: int = PAGES_MAX, versions_max: int = VERSIONS_MAX) -> None:
        self._pages_max = pages_max
        self._versions_max = versions_max
        self._day = 0
        self._known: dict[str, dict[str, set[str]]] = {}

    def require(self, site: str, page: str, version: str, now_ms: int) -> None:
        """Let a version of a page in; RefusedError when it would be one too many today (UTC)."""
        if now_ms // _DAY_MS != self._day:
            self._day, self._known = now_ms // _DAY_MS, {}
        pages = self._known.setdefault(site, {})
        versions = pages.get(page)
        if versions is None:
            if len(pages) >= self._pages_max:
                raise RefusedError(
                    f"The site {site!r} has had {self._pages_max:,} pages today, as many as are "
                    f"kept; {page[:64]!r} would be one more."
                )
            versions = pages[page] = set()
        if version not in versions:
            if len(versions) >= self._versions_max:
                raise RefusedError(
                    f"The page {page[:64]!r} has had {self._versions_max} versions today, as many "
                    f"as are kept; {version!r} would be one more."
                )
            versions.add(version)
