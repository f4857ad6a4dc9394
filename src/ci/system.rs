//! CI systems by the variables that tell them apart, and what each calls a whole clone.

use super::Surroundings;

/// A CI system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// GitHub Actions, and Gitea and Forgejo Actions, which set the same variables.
    GitHub,
    /// GitLab CI.
    GitLab,
    /// Azure Pipelines.
    Azure,
    /// Bitbucket Pipelines.
    Bitbucket,
    /// Buildkite.
    Buildkite,
    /// CircleCI.
    CircleCi,
    /// Drone.
    Drone,
    /// Jenkins with its git plugin; pull requests need a multibranch pipeline.
    Jenkins,
    /// Travis CI.
    Travis,
    /// Woodpecker CI.
    Woodpecker,
}

impl System {
    /// All systems, in the order they are looked for.
    pub const ALL: [Self; 10] = [
        Self::GitHub,
        Self::GitLab,
        Self::Azure,
        Self::Bitbucket,
        Self::Buildkite,
        Self::CircleCi,
        // NOTE: Woodpecker can be told to set the variables of Drone, too.
        Self::Woodpecker,
        Self::Drone,
        Self::Travis,
        // NOTE: last, since agents of other systems run beside Jenkins and inherit its variables.
        Self::Jenkins,
    ];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GitHub => "GitHub Actions",
            Self::GitLab => "GitLab CI",
            Self::Azure => "Azure Pipelines",
            Self::Bitbucket => "Bitbucket Pipelines",
            Self::Buildkite => "Buildkite",
            Self::CircleCi => "CircleCI",
            Self::Drone => "Drone",
            Self::Jenkins => "Jenkins",
            Self::Travis => "Travis CI",
            Self::Woodpecker => "Woodpecker",
        }
    }

    /// All names, for people.
    #[must_use]
    pub fn names() -> String {
        Self::ALL.map(Self::as_str).join(", ")
    }

    /// The variable that is set in its jobs and nowhere else, and its value if that matters.
    const fn mark(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::GitHub => ("GITHUB_ACTIONS", Some("true")),
            Self::GitLab => ("GITLAB_CI", Some("true")),
            Self::Azure => ("TF_BUILD", Some("true")),
            Self::Bitbucket => ("BITBUCKET_BUILD_NUMBER", None),
            Self::Buildkite => ("BUILDKITE", Some("true")),
            Self::CircleCi => ("CIRCLECI", Some("true")),
            Self::Drone => ("DRONE", Some("true")),
            Self::Jenkins => ("JENKINS_URL", None),
            Self::Travis => ("TRAVIS", Some("true")),
            Self::Woodpecker => ("CI", Some("woodpecker")),
        }
    }

    /// The system of this environment.
    pub(super) fn find(around: &dyn Surroundings) -> Option<Self> {
        Self::ALL.into_iter().find(|system| {
            let (name, wanted) = system.mark();
            around
                .get(name)
                .is_some_and(|value| wanted.is_none_or(|wanted| value.eq_ignore_ascii_case(wanted)))
        })
    }

    /// How its jobs get the whole history.
    #[must_use]
    pub const fn whole_clone(self) -> &'static str {
        match self {
            Self::GitHub => "set `fetch-depth: 0` for actions/checkout",
            Self::GitLab => "set the variable GIT_DEPTH to \"0\"",
            Self::Azure => "set `fetchDepth: 0` for the step `checkout: self`",
            Self::Bitbucket => "set `clone: depth: full`",
            Self::Buildkite => "leave `--depth` out of BUILDKITE_GIT_CLONE_FLAGS",
            Self::CircleCi => "use the step `checkout` with `method: full`",
            Self::Drone => "leave `clone: depth:` out",
            Self::Jenkins => {
                "switch \"shallow clone\" off, and fetch the target branch with \"honor refspec\" off"
            }
            Self::Travis => "set `git: depth: false`",
            Self::Woodpecker => "set `partial: false` and `depth: 0` for the clone step",
        }
    }
}
