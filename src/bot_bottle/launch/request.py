"""What a person asked for: flags, or the record of an earlier launch. Plain values, nothing resolved."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from bot_bottle.store.metadata import Metadata, RunPlan


@dataclass(frozen=True)
class LaunchRequest:
    """One launch as asked. Everything that is a file is still a path, every credential a variable's name."""

    agent: str = ""
    bottles: tuple[str, ...] = ()
    template: str = ""
    """provider named by flag; empty: the bottle's"""
    cwd: str = ""
    """directory that the command was given in"""
    copy_cwd: bool = False
    label: str = ""
    color: str = ""
    backend: str = ""
    trust_project: bool = False
    """a person confirmed what a project's agent file suggests"""
    resume: bool = False
    workspace_mode: str = "none"
    """of the launch that is resumed: its workspace is used again, the host's directory is not looked at"""
    run: RunPlan = field(default_factory=RunPlan)

    def metadata(self, started_at: str, launch_id: str, version: str) -> Metadata:
        """The record that :func:`of_record` makes this request from again."""
        return Metadata(
            identity="",
            agent_name=self.agent,
            cwd=self.cwd,
            copy_cwd=self.copy_cwd,
            started_at=started_at,
            backend=self.backend,
            label=self.label,
            color=self.color,
            bottle_names=self.bottles,
            provider=self.template,
            launch_id=launch_id,
            plan=self.run,
            version=version,
        )


def of_record(metadata: Metadata, argv: tuple[str, ...], task: str = "") -> LaunchRequest:
    """The request to ``resume`` what *metadata* records; *argv* that is not empty replaces the recorded one;
    a recorded task was done or not, and is never given again: *task* is the new one.

    The person confirmed the project's file at the first start; what it may grant is nothing either way.
    """
    run = replace(metadata.plan or RunPlan(), task=task)
    if argv:
        run = replace(run, argv=argv)
    return LaunchRequest(
        agent=metadata.agent_name,
        bottles=metadata.bottle_names,
        template=metadata.provider,
        cwd=metadata.cwd,
        copy_cwd=metadata.copy_cwd,
        label=metadata.label,
        color=metadata.color,
        backend=metadata.backend,
        trust_project=True,
        resume=True,
        workspace_mode=metadata.workspace_mode,
        run=run,
    )
