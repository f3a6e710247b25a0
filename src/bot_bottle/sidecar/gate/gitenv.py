"""What every git of the gate is started with: an environment of ours, and settings that nothing in a repository can
take back (git-config(1): the environment's win over files).

Nothing here is secret; tokens and keys reach the two commands that have them as files (``access``). Settings of
versions newer than 2.39 are ignored by older ones.
"""

from __future__ import annotations

from collections.abc import Mapping

Settings = Mapping[str, str]

MEMORY: Settings = {
    # 400 MB for a push of 200 MB: blobs over the threshold are streamed and never deltified, the rest is bounded
    "core.bigFileThreshold": "8m",
    "core.packedGitLimit": "64m",
    "core.packedGitWindowSize": "8m",
    "core.deltaBaseCacheLimit": "24m",
    "pack.windowMemory": "24m",
    "pack.deltaCacheSize": "8m",
    "pack.threads": "2",
}

ALL: Settings = {
    "safe.directory": "*",
    "protocol.allow": "never",
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.attributesFile": "/dev/null",
    "core.excludesFile": "/dev/null",
    "core.sshCommand": "false",
    "core.gitProxy": "false",
    "core.askPass": "false",
    "core.editor": "false",
    "core.pager": "cat",
    "core.useReplaceRefs": "false",
    "core.commitGraph": "false",  # read from the object store, and believed
    "core.multiPackIndex": "false",
    "credential.helper": "",
    "transfer.fsckObjects": "true",
    "transfer.advertiseObjectInfo": "false",
    "transfer.advertiseSID": "false",
    "transfer.bundleURI": "false",
    "submodule.recurse": "false",
    "fetch.recurseSubmodules": "false",
    "push.recurseSubmodules": "no",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "trace2.eventTarget": "0",
    "trace2.normalTarget": "0",
    "trace2.perfTarget": "0",
    **MEMORY,
}
"""for each git, whatever it does"""

SERVING: Settings = {
    "http.uploadpack": "true",
    "http.receivepack": "true",
    "http.getanyfile": "false",
    "uploadpack.allowFilter": "true",
    "uploadpack.keepAlive": "5",
    "receive.fsckObjects": "true",
    "receive.unpackLimit": "1",  # one pack in the quarantine, whatever its size
    "receive.advertisePushOptions": "false",
    "receive.autogc": "false",
    "receive.updateServerInfo": "false",
    "receive.shallowUpdate": "false",
    "receive.keepAlive": "5",
}
"""for what the agent's git talks to"""

_HISTORICAL = (
    "badDate", "badDateOverflow", "badEmail", "badName", "badTimezone", "duplicateEntries", "emptyName",
    "badFilemode", "badTagName", "missingEmail", "missingNameBeforeEmail", "missingSpaceBeforeDate",
    "missingSpaceBeforeEmail", "missingTaggerEntry", "missingTypeEntry", "multipleAuthors", "nullSha1",
    "treeNotSorted", "zeroPaddedDate", "zeroPaddedFilemode", "gitmodulesParse", "largePathname",
)  # fmt: skip
"""``fsck.<msg-id>`` of git-fsck(1) that old tools left in histories which people still work on. What an attack needs
stays an error: names of ``.git``, links of ``.gitmodules``, its URLs, paths and names."""

FETCHING: Settings = {
    "fetch.fsckObjects": "true",
    **{f"fetch.fsck.{kind}": "warn" for kind in _HISTORICAL},
    "fetch.unpackLimit": "100",
    "fetch.writeCommitGraph": "false",
    "fetch.showForcedUpdates": "false",
}
"""for the fetch into a mirror (ruling 69)"""


def environment(settings: Settings = {}, extra: Mapping[str, str] = {}) -> dict[str, str]:  # noqa: B006
    """The whole environment of a git: *settings* over those for all, and the variables of *extra*."""
    merged = {**ALL, **settings}
    numbered: dict[str, str] = {"GIT_CONFIG_COUNT": str(len(merged))}
    for index, (key, value) in enumerate(merged.items()):
        numbered[f"GIT_CONFIG_KEY_{index}"] = key
        numbered[f"GIT_CONFIG_VALUE_{index}"] = value
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": "/nonexistent",
        "LC_ALL": "C.UTF-8",
        "LANGUAGE": "C",
        "TZ": "UTC",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_ASKPASS": "false",
        "SSH_ASKPASS": "false",
        "GIT_ALLOW_PROTOCOL": "",
        **numbered,
        **extra,
    }
