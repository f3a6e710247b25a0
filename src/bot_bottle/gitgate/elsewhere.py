"""Files whose content is run elsewhere, or decides what is: the default of ``ask_paths`` (threats H5).

What an agent pushes into one of them runs outside the bottle, mostly with secrets: so the operator is asked. Not in
the list is what runs only when somebody builds or tests the project (``Makefile``, ``package.json``, ``setup.py``):
that is what a project's commits are, and asking about each would make the yes worthless. Globs: ``gitgate.paths``.
"""

from __future__ import annotations

from msgspec import Struct


class Elsewhere(Struct, frozen=True):
    """Some files, who runs them, and where that is documented."""

    globs: tuple[str, ...]
    runs: str
    page: str
    """the vendor's"""


# fmt: off
TABLE: tuple[Elsewhere, ...] = (
    # -- forges: workflows, and who must review
    Elsewhere(("/.github/workflows/", "/.github/actions/", "action.yml", "action.yaml"), "GitHub Actions runs it",
              "https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax"),
    Elsewhere(("/.gitea/workflows/", "/.gitea/actions/"), "Gitea Actions runs it",
              "https://docs.gitea.com/usage/actions/overview"),
    Elsewhere(("/.forgejo/workflows/", "/.forgejo/actions/"), "Forgejo Actions runs it",
              "https://forgejo.org/docs/latest/user/actions/reference/"),
    Elsewhere((".gitlab-ci.yml", "*.gitlab-ci.yml", "/.gitlab/ci/", "/.gitlab-ci/"), "GitLab CI/CD runs it",
              "https://docs.gitlab.com/ci/yaml/"),
    Elsewhere(("/.gitlab/agents/",), "GitLab's agent for Kubernetes obeys it",
              "https://docs.gitlab.com/user/clusters/agent/install/"),
    Elsewhere(("/.gitlab/security-policies/",), "GitLab's security policies are in it",
              "https://docs.gitlab.com/user/application_security/policies/"),
    Elsewhere(("/CODEOWNERS", "/docs/CODEOWNERS", "/.github/CODEOWNERS", "/.gitlab/CODEOWNERS",
               "/.gitea/CODEOWNERS", "/.forgejo/CODEOWNERS", "/.bitbucket/CODEOWNERS"), "it says who must review what",
              "https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners"),
    Elsewhere(("/.github/dependabot.yml", "/.github/dependabot.yaml"), "Dependabot obeys it",
              "https://docs.github.com/en/code-security/dependabot/working-with-dependabot/dependabot-options-reference"),
    Elsewhere(("/renovate.json", "/renovate.json5", ".renovaterc", ".renovaterc.json", ".renovaterc.json5",
               "/.github/renovate.json", "/.github/renovate.json5", "/.gitlab/renovate.json",
               "/.gitlab/renovate.json5"),
              "Renovate obeys it", "https://docs.renovatebot.com/configuration-options/"),
    Elsewhere((".mergify.yml", "/.mergify/config.yml", "/.github/mergify.yml"), "Mergify merges by it",
              "https://docs.mergify.com/configuration/file-format/"),
    # -- continuous integration by others
    Elsewhere(("bitbucket-pipelines.yml",), "Bitbucket Pipelines runs it",
              "https://support.atlassian.com/bitbucket-cloud/docs/bitbucket-pipelines-configuration-reference/"),
    Elsewhere(("/.circleci/",), "CircleCI runs it", "https://circleci.com/docs/configuration-reference/"),
    Elsewhere((".travis.yml",), "Travis CI runs it", "https://docs.travis-ci.com/user/customizing-the-build/"),
    Elsewhere(("azure-pipelines*.yml", "azure-pipelines*.yaml", "/.azure-pipelines/", "/.azuredevops/", ".vsts-ci.yml"),
              "Azure Pipelines runs it", "https://learn.microsoft.com/en-us/azure/devops/pipelines/yaml-schema/"),
    Elsewhere(("Jenkinsfile", "Jenkinsfile.*", "*.jenkinsfile"), "Jenkins runs it",
              "https://www.jenkins.io/doc/book/pipeline/jenkinsfile/"),
    Elsewhere((".drone.yml", ".drone.star", ".drone.jsonnet"), "Drone runs it",
              "https://docs.drone.io/pipeline/overview/"),
    Elsewhere(("/.woodpecker/", "/.woodpecker.yml", "/.woodpecker.yaml"), "Woodpecker CI runs it",
              "https://woodpecker-ci.org/docs/usage/workflow-syntax"),
    Elsewhere(("/.buildkite/", "/buildkite.yml", "/buildkite.yaml"), "Buildkite runs it",
              "https://buildkite.com/docs/pipelines/configure/defining-steps"),
    Elsewhere((".cirrus.yml", ".cirrus.yaml", ".cirrus.star"), "Cirrus CI runs it",
              "https://cirrus-ci.org/guide/writing-tasks/"),
    Elsewhere(("appveyor.yml", ".appveyor.yml", "/.appveyor/"), "AppVeyor runs it",
              "https://www.appveyor.com/docs/build-configuration/"),
    Elsewhere(("/.semaphore/",), "Semaphore runs it", "https://docs.semaphore.io/reference/pipeline-yaml"),
    Elsewhere(("/.teamcity/",), "TeamCity runs it", "https://www.jetbrains.com/help/teamcity/kotlin-dsl.html"),
    Elsewhere(("buildspec*.yml", "buildspec*.yaml"), "AWS CodeBuild runs it",
              "https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html"),
    Elsewhere(("cloudbuild*.yaml", "cloudbuild*.yml", "cloudbuild*.json"), "Google Cloud Build runs it",
              "https://cloud.google.com/build/docs/build-config-file-schema"),
    Elsewhere(("/.build.yml", "/.builds/"), "SourceHut builds run it", "https://man.sr.ht/builds.sr.ht/manifest.md"),
    Elsewhere(("/.tekton/",), "Pipelines as Code (Tekton) runs it", "https://pipelinesascode.com/docs/guide/authoringprs/"),
    Elsewhere((".prow.yaml", "/.prow/"), "Prow runs it", "https://docs.prow.k8s.io/docs/inrepoconfig/"),
    Elsewhere(("/.zuul.yaml", "/zuul.yaml", "/.zuul.d/", "/zuul.d/"), "Zuul runs it",
              "https://zuul-ci.org/docs/zuul/latest/project-config.html"),
    Elsewhere(("codefresh.yml", "/.codefresh/"), "Codefresh runs it",
              "https://codefresh.io/docs/docs/pipelines/what-is-the-codefresh-yaml/"),
    Elsewhere(("/bitrise.yml",), "Bitrise runs it", "https://docs.bitrise.io/en/bitrise-ci/references/configuration-yaml-reference.html"),
    Elsewhere(("/codemagic.yaml",), "Codemagic runs it", "https://docs.codemagic.io/yaml-basic/yaml-getting-started/"),
    Elsewhere(("ci_scripts/",), "Xcode Cloud runs it",
              "https://developer.apple.com/documentation/xcode/writing-custom-build-scripts"),
    # -- hosts that build and deploy what is pushed
    Elsewhere(("/.readthedocs.yml", "/.readthedocs.yaml", "/readthedocs.yml", "/readthedocs.yaml"),
              "Read the Docs runs it", "https://docs.readthedocs.com/platform/stable/config-file/v2.html"),
    Elsewhere(("netlify.toml",), "Netlify runs it",
              "https://docs.netlify.com/build/configure-builds/file-based-configuration/"),
    Elsewhere(("vercel.json", "vercel.ts"), "Vercel runs it", "https://vercel.com/docs/project-configuration"),
    Elsewhere(("render.yaml",), "Render runs it", "https://render.com/docs/blueprint-spec"),
    Elsewhere(("/app.json", "/heroku.yml", "/Procfile"), "Heroku runs it", "https://devcenter.heroku.com/articles/app-json-schema"),
    Elsewhere(("amplify.yml",), "AWS Amplify runs it", "https://docs.aws.amazon.com/amplify/latest/userguide/build-settings.html"),
    Elsewhere(("wrangler.toml", "wrangler.json", "wrangler.jsonc"), "Cloudflare Workers Builds run it",
              "https://developers.cloudflare.com/workers/wrangler/configuration/"),
    Elsewhere(("/.devcontainer/", "/.devcontainer.json"), "Codespaces and editors run it when they open the repository",
              "https://containers.dev/implementors/json_reference/"),
    Elsewhere((".gitpod.yml", ".gitpod.Dockerfile"), "Gitpod runs it when it opens the repository",
              "https://www.gitpod.io/docs/classic/user/references/gitpod-yml"),
    # -- git, and hooks on the machines of those who pull
    Elsewhere((".gitmodules",), "git fetches from where it says", "https://git-scm.com/docs/gitmodules"),
    Elsewhere((".lfsconfig",), "Git LFS sends files and credentials to where it says",
              "https://github.com/git-lfs/git-lfs/blob/main/docs/man/git-lfs-config.adoc"),
    Elsewhere((".husky/",), "husky runs it as a git hook", "https://typicode.github.io/husky/"),
    Elsewhere((".githooks/", ".git-hooks/", ".hooks/"), "git runs it as a hook where core.hooksPath says so",
              "https://git-scm.com/docs/githooks"),
    Elsewhere((".pre-commit-config.yaml", ".pre-commit-config.yml", ".pre-commit-hooks.yaml", "prek.toml"),
              "pre-commit runs it as a git hook, and on its own servers", "https://pre-commit.com/"),
    Elsewhere(("lefthook.[jty]*", ".lefthook.[jty]*", "lefthook-local.*", ".lefthook-local.*", ".lefthook/",
               ".lefthook-local/"), "lefthook runs it as a git hook", "https://lefthook.dev/configuration"),
    Elsewhere((".overcommit.yml",), "overcommit runs it as a git hook", "https://github.com/sds/overcommit"),
    Elsewhere((".simple-git-hooks.*", "simple-git-hooks.*"), "simple-git-hooks runs it as a git hook",
              "https://github.com/toplenboren/simple-git-hooks"),
    Elsewhere((".huskyrc", ".huskyrc.*", "husky.config.*"), "husky runs it as a git hook", "https://typicode.github.io/husky/"),
    # -- publishing packages, and where packages come from
    Elsewhere((".npmrc",), "npm fetches and publishes by it", "https://docs.npmjs.com/cli/v11/configuring-npm/npmrc"),
    Elsewhere((".yarnrc", ".yarnrc.yml", "/.yarn/releases/", "/.yarn/plugins/"),
              "Yarn runs it, and fetches and publishes by it", "https://yarnpkg.com/configuration/yarnrc"),
    Elsewhere((".pnpmfile.cjs", "pnpmfile.js"), "pnpm runs it when it installs", "https://pnpm.io/pnpmfile"),
    Elsewhere(("bunfig.toml", ".bunfig.toml"), "Bun fetches by it", "https://bun.sh/docs/runtime/bunfig"),
    Elsewhere((".pypirc", "pip.conf"), "Python's tools fetch and publish by it",
              "https://packaging.python.org/en/latest/specifications/pypirc/"),
    Elsewhere((".cargo/",), "Cargo runs what it names, and fetches and publishes by it",
              "https://doc.rust-lang.org/cargo/reference/config.html"),
    Elsewhere(("nuget.config",), "NuGet fetches and publishes by it",
              "https://learn.microsoft.com/en-us/nuget/reference/nuget-config-file"),
    Elsewhere((".goreleaser.yml", ".goreleaser.yaml", "goreleaser.yml", "goreleaser.yaml", "/.config/goreleaser.*"),
              "GoReleaser publishes by it", "https://goreleaser.com/customization/"),
    Elsewhere((".releaserc", ".releaserc.*", "release.config.*"), "semantic-release publishes by it",
              "https://semantic-release.gitbook.io/semantic-release/usage/configuration"),
    Elsewhere((".release-it.*", ".release-it"), "release-it publishes by it", "https://github.com/release-it/release-it"),
    Elsewhere((".changeset/config.json",), "Changesets publishes by it",
              "https://github.com/changesets/changesets/blob/main/docs/config-file-options.md"),
    Elsewhere(("release-please-config.json", ".release-please-manifest.json"), "release-please publishes by it",
              "https://github.com/googleapis/release-please/blob/main/docs/manifest-releaser.md"),
    Elsewhere(("jreleaser.yml", "jreleaser.yaml", "jreleaser.toml", "jreleaser.json"), "JReleaser publishes by it",
              "https://jreleaser.org/guide/latest/reference/index.html"),
    Elsewhere(("/.mvn/", "/mvnw", "/mvnw.cmd", "gradle/wrapper/", "/gradlew", "/gradlew.bat"),
              "Maven or Gradle is fetched and started by it, in every build", "https://docs.gradle.org/current/userguide/gradle_wrapper.html"),
    Elsewhere(("snapcraft.yaml", "/snap/snapcraft.yaml"), "the Snap Store's builds run it",
              "https://documentation.ubuntu.com/snapcraft/stable/reference/project-file/snapcraft-yaml/"),
    Elsewhere((".copr/",), "Copr runs it", "https://docs.copr.fedorainfracloud.org/user_documentation.html"),
    Elsewhere((".packit.yaml", ".packit.yml", "packit.yaml", "packit.yml"), "Packit runs it",
              "https://packit.dev/docs/configuration/"),
)
# fmt: on

RUN_ELSEWHERE: tuple[str, ...] = tuple(glob for row in TABLE for glob in row.globs)

_RUNS = {glob: row.runs for row in TABLE for glob in row.globs}


def what_runs(glob: str) -> str:
    """The rule of a file to be asked about, in words."""
    runs = _RUNS.get(glob)
    return f"matches {glob!r} of ask_paths" if runs is None else f"{runs} ({glob})"
