"""Forges: cloning, downloads and API reads of named repositories, and their issues and pull requests if asked for.
Never gists, uploads, releases, merges, tokens, keys, forks, other repositories, GraphQL (threats E4).

A repository is ``owner/name``; for GitLab's API, which names it by an encoded path that no request may have
(egress.md §2.6), its number.
"""

from __future__ import annotations

import re

from bot_bottle.egress.config import Match
from bot_bottle.egress.presets.parts import Host, Preset, exact, prefix, regex

CLOSED = (
    "pushing, gists and snippets, uploads, releases, merging, workflows, keys, hooks and tokens, forks, every "
    "repository that is not named, GraphQL, Git LFS"
)

_GITHUB_API = "https://docs.github.com/en/rest"
_GITLAB_API = "https://docs.gitlab.com/api/rest/"
_GITEA_API = "https://docs.gitea.com/api/"
_GIT = "https://git-scm.com/docs/http-protocol"


def github(host: str, repos: tuple[str, ...]) -> Preset:
    """*host* empty: github.com and what it redirects to; else an Enterprise server."""
    base = "/api/v3" if host else ""
    web = Host(
        host or "github.com",
        (*_clone(repos), prefix(*_below(repos, "", "releases/download", "archive", "raw"))),
        (_GIT, "https://docs.github.com/en/repositories/releasing-projects-on-github/linking-to-releases"),
        git_fetch=True,
    )
    api = Host(
        host or "api.github.com",
        (prefix(*_below(repos, f"{base}/repos", "")), exact(f"{base}/rate_limit")),
        (_GITHUB_API,),
        headers=("x-github-api-version",),
        credential=True,
    )
    files = Host("codeload.github.com", (prefix(*_below(repos, "", "")),), web.pages)
    raw = Host("raw.githubusercontent.com", files.matches, web.pages)
    signed = tuple(
        Host(name, (prefix("/github-production-release-asset"),), web.pages, headers=None)
        for name in ("release-assets.githubusercontent.com", "objects.githubusercontent.com")
    )
    writes = _writes(api, [f"{base}/repos/{re.escape(repo)}" for repo in repos], "PATCH", "comments", "pulls")
    return Preset(
        "git clone, gh api", {"read": (web, api, *(() if host else (files, raw, *signed)))} | writes, CLOSED
    )


def gitea(host: str, repos: tuple[str, ...]) -> Preset:
    """Gitea and Forgejo, which is always somebody's own server."""
    base = "/api/v1/repos"
    web = Host(
        host,
        (
            *_clone(repos),
            prefix(*_below(repos, "", "releases/download", "archive", "raw")),
            prefix(*_below(repos, base, "")),
        ),
        (_GIT, _GITEA_API),
        git_fetch=True,
        credential=True,
    )
    writes = _writes(web, [f"{base}/{re.escape(repo)}" for repo in repos], "PATCH", "comments", "pulls")
    return Preset("git clone, tea, the API", {"read": (web,)} | writes, CLOSED)


def gitlab(host: str, repos: tuple[str, ...]) -> Preset:
    """*host* empty: gitlab.com. Numbers among *repos* open the API, paths open cloning and downloads."""
    named = tuple(repo for repo in repos if not repo.isdecimal())
    base = "/api/v4/projects"
    numbered = [f"{base}/{repo}" for repo in repos if repo.isdecimal()]
    matches = [*_clone(named)]
    if named:
        matches.append(prefix(*_below(named, "", "-/releases", "-/archive", "-/raw")))
    if numbered:
        matches.append(prefix(*numbered))
    web = Host(host or "gitlab.com", tuple(matches), (_GIT, _GITLAB_API), git_fetch=True, credential=True)
    writes = _writes(web, numbered, "PUT", "notes", "merge_requests") if numbered else {}
    return Preset("git clone, the API", {"issues": (), "pulls": (), "read": (web,)} | writes, CLOSED)


FORGES = {"gitea": gitea, "github": github, "gitlab": gitlab}


def _clone(repos: tuple[str, ...]) -> list[Match]:
    """Smart HTTP of each repository, with and without ``.git``."""
    if not repos:
        return []
    both = [f"/{repo}{end}" for repo in repos for end in ("", ".git")]
    return [
        exact(*(f"{path}/info/refs" for path in both), methods=("GET",)),
        exact(*(f"{path}/git-upload-pack" for path in both), methods=("POST",)),
    ]


def _below(repos: tuple[str, ...], base: str, *places: str) -> list[str]:
    return [f"{base}/{repo}/{place}".rstrip("/") for repo in repos for place in places]


def _writes(api: Host, roots: list[str], edit: str, comments: str, pulls: str) -> dict[str, tuple[Host, ...]]:
    """``issues`` and ``pulls``: to open one, to edit it (*edit* is the method), to comment on it. *roots* are
    expressions for the repositories' places in the API."""

    def opened(*things: str) -> tuple[Host, ...]:
        matches = []
        for root in roots:
            for thing in things:
                matches.append(
                    regex(
                        f"{root}/{thing}", f"{root}/{thing}/[0-9]+/(?:{comments}|labels)", methods=("POST",)
                    )
                )
                matches.append(
                    regex(f"{root}/{thing}/[0-9]+", f"{root}/{thing}/{comments}/[0-9]+", methods=(edit,))
                )
        return (Host(api.host, tuple(matches), api.pages, headers=api.headers, credential=True),)

    review = tuple(regex(f"{root}/{pulls}/[0-9]+/reviews", methods=("POST",)) for root in roots)
    (opening,) = opened(pulls)
    # A pull request is an issue too where both are talked about under one path; of GitLab's each has its own.
    shared = () if comments == "notes" else roots
    talk = tuple(regex(f"{root}/issues/[0-9]+/{comments}", methods=("POST",)) for root in shared)
    requests = Host(
        api.host, (*opening.matches, *review, *talk), api.pages, headers=api.headers, credential=True
    )
    return {"issues": opened("issues"), "pulls": (requests,)}
