"""Tables of pushes that must not arrive (threats H3, H4, H5): scripts of plain git, in a clone at upstream's ``main``.

``$U`` is the upstream's URL and ``$S`` a secret; ``make PLACE`` makes commits with it (``git_commits.py``). A line
``== name`` begins an attack; ``== name < REF`` needs that ref upstream.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

PREAMBLE = r"""
put() { printf 'k = "%s"\n' "$S" > "$1"; }
c() { git add -A -f; git commit -q --allow-empty -m "${1:-x}"; }
p() { git push origin "$@"; }
amend() { git commit -q --amend --allow-empty -m other; }
touched() { mkdir -p "$(dirname "$1")"; echo '# x' > "$1"; }
make() { python3 ~/make.py "$1" <~/given >~/made; p $(grep -o '"refs": \[[^]]*' ~/made | cut -d[ -f2 | tr -d '",'); }
set -e
cd ~/a
git fetch -q origin
git checkout -q -B work origin/main
git clean -qfdx
git tag | xargs -r git tag -d >/dev/null
"""

PLACES = ("file", "reverted", "attributes", "suppressed by files", "message", "tag", "branch name", "author", "merge",
          "zip", "gzip", "base64", "utf-16", "lock file", "note", "file name")  # fmt: skip

_H3 = r"""
== marked
put x; sed -i 's/$/ # gitleaks:allow/' x; c; p work
== a submodule's URL
printf '[submodule "x"]\n path = x\n url = https://%s@example.com/\n' "$S" > .gitmodules; c; p work
== from a shallow clone
rm -rf ~/s; git clone -q --depth 1 $U ~/s; cd ~/s; put x; c; p HEAD:work
== from a partial clone
rm -rf ~/s; git clone -q --filter=tree:0 $U ~/s; cd ~/s; put x; c; p HEAD:work
== from an alternate
rm -rf ~/s ~/t; git clone -q $U ~/s; cd ~/s; put x; c
git clone -q --reference ~/s $U ~/t; cd ~/t; git fetch -q ~/s; p FETCH_HEAD:refs/heads/work
== behind many others
for i in $(seq 300); do echo $i > f$i; done; put f151; c
for i in $(seq 30); do c $i; done; p work
== in a tag of a tag
git tag -f -a one -m "$S"; git tag -f -a two -m x one; p two
== in a tagged blob
put x; git tag -f t $(git hash-object -w x); p t
== in a tagged tree
put x; git add -A; git tag -f t $(git write-tree); p t
== in an unknown header
p $(git cat-file commit HEAD | sed "/^committer/a x-key $S" | git hash-object -t commit -w --stdin):refs/heads/work
== as the end of a symbolic link
ln -sfn "$S" link; c; p work
== in several refs, one of them clean
git branch -f clean; c "$S"; p clean work
== brought by one ref, named by another
c "$S"; p work || true; p work:later
== in the mode of a force that is refused
c "$S"; p +work:main
== in a merge's third parent
git checkout -q -B one; c one; git checkout -q -B two origin/main; put x; c two
git checkout -q work; c; git merge -q -m z one two; p work
== in a commit of another root
git checkout -q --orphan root; put x; c; p root
== at the end of a file without a line end
printf 'k = "%s"' "$S" > x; c; p work
"""

_H4 = r"""
== force
c; amend; p -f $(git commit-tree -m z HEAD^{tree}):main
== plus
p +$(git commit-tree -m z HEAD^{tree}):main
== force with lease
p --force-with-lease=main:$(git rev-parse origin/main) $(git commit-tree -m z HEAD^{tree}):main
== delete < refs/heads/doomed
p :doomed
== delete a tag < refs/tags/doomed
p :refs/tags/doomed
== move a tag < refs/tags/doomed
c; p -f HEAD:refs/tags/doomed
== mirror < refs/heads/doomed
git checkout -q --detach; git push --mirror origin
== prune < refs/heads/doomed
p --prune 'refs/heads/*'
== another's branch < refs/heads/doomed
c; p -f HEAD:doomed
== a wildcard < refs/heads/work
c; p -f 'refs/heads/*:refs/heads/*'
== force among others
c; p work +$(git commit-tree -m z HEAD^{tree}):main
"""
REFS = ("refs/pull/1/head", "refs/merge-requests/1/head", "refs/changes/01/1/1", "refs/for/main", "refs/notes/x",
        "refs/remotes/origin/x", "refs/meta/config", "refs/environments/x", "refs/x/y")  # fmt: skip

_H5 = r"""
== by a merge
git checkout -q -B side; touched .github/workflows/x.yml; c
git checkout -q -B work origin/main; c; git merge -q --no-ff -m z side; p work
== and away again
touched .github/workflows/x.yml; c; git revert --no-edit HEAD; p work
== renamed
mkdir -p .github/workflows; git mv README.md .github/workflows/r.yml; c; p work
== as a link
mkdir -p .github; ln -s ../src .github/workflows; c; p work
== in a tag alone
touched .github/workflows/x.yml; c; git tag -f t; p t
"""
FILES = (
    ".github/workflows/x.yml", ".github/actions/x/action.yml", ".gitea/workflows/x.yml", ".gitlab-ci.yml",
    ".forgejo/workflows/x.yml", ".circleci/config.yml", "azure-pipelines.yml", "Jenkinsfile", ".travis.yml",
    ".woodpecker.yml", "CODEOWNERS", ".github/CODEOWNERS", ".husky/pre-commit", ".pre-commit-config.yaml",
    ".gitmodules", ".GitHub/Workflows/x.yml",
)  # fmt: skip


@dataclass(frozen=True)
class Attack:
    name: str
    script: str
    needs: str = ""
    """a ref that must be upstream before"""


def evasions() -> Iterator[Attack]:
    """H3: a secret somewhere that a scanner may not look at."""
    for place in PLACES:
        yield Attack(f"H3 {place}", f"make '{place}'")
    yield from _table("H3", _H3)


def refs() -> Iterator[Attack]:
    """H4: what a push may not do to refs."""
    for ref in REFS:
        yield Attack(f"H4 {ref}", f"c; p HEAD:{ref}")
    yield from _table("H4", _H4)


def elsewhere() -> Iterator[Attack]:
    """H5: files that run elsewhere; nobody is there to be asked."""
    for path in FILES:
        yield Attack(f"H5 {path}", f"touched '{path}'; c; p work")
    yield from _table("H5", _H5)


def _table(threat: str, text: str) -> Iterator[Attack]:
    for part in text.split("\n== ")[1:]:
        head, _, script = part.partition("\n")
        name, _, needs = head.partition(" < ")
        yield Attack(f"{threat} {name}", script, needs)
