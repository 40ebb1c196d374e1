"""The dashboard's built files. HTML is asked for anew each time, hashed files are kept for ever;
what lies outside the folder can't be reached. Says how to build the pages where there are none.
"""

import os
import re
import stat
from pathlib import Path

from fastapi import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATE = "no-cache"
_HASHED = re.compile(r"-[A-Za-z0-9_-]{8,}\.[a-z0-9.]+$")

NOT_BUILT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Waystock</title>
<h1>The pages are not built yet</h1>
<p>Run <code>make setup</code> in the checkout; it builds the dashboard into
<code>api/waystock_api/static</code>. Or set <code>WAYSTOCK_STATIC_DIR</code> to a built one.
Then load this page again. The API under <code>/api/v1</code> works meanwhile.</p>
<h1 lang="zh-CN">页面尚未构建</h1>
<p lang="zh-CN">请在代码目录中运行 <code>make setup</code>，然后重新加载本页。</p></html>"""


class Pages(StaticFiles):
    """Serves `/`, `/screen`, `/assets/…` from the build's folder; 404 in words for the rest."""

    def __init__(self, static_dir: Path) -> None:
        super().__init__(directory=static_dir, html=True, check_dir=False)
        self._static_dir = static_dir

    async def get_response(self, path: str, scope: Scope) -> Response:
        if not (self._static_dir / "index.html").exists() and path in {".", "index.html"}:
            return HTMLResponse(NOT_BUILT, 503)
        if "\x00" in path:
            raise HTTPException(404)
        return await super().get_response(path, scope)

    async def check_config(self) -> None:
        """Nothing to check: a folder that is missing now may be built while we run."""

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        """`/screen` means screen.html where there is no folder of that name."""
        found = super().lookup_path(path)
        if found[1] is None and "." not in Path(path).name:
            return super().lookup_path(f"{path}.html")
        return found

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """As the library does it, with our caching rules."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        hashed = stat.S_ISREG(stat_result.st_mode) and _HASHED.search(Path(full_path).name)
        in_assets = "assets" in Path(full_path).parts
        response.headers["Cache-Control"] = IMMUTABLE if hashed and in_assets else REVALIDATE
        return response
