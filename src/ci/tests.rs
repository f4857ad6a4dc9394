use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use super::*;

const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
const ZERO: &str = "0000000000000000000000000000000000000000";

/// Variables, and one file for every name.
struct Fake {
    variables: BTreeMap<String, String>,
    event: String,
}

impl Surroundings for Fake {
    fn get(&self, name: &str) -> Option<String> {
        self.variables.get(name).filter(|value| !value.is_empty()).cloned()
    }

    fn read(&self, file: &Path) -> io::Result<Vec<u8>> {
        if file == Path::new("/gone") {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(self.event.clone().into_bytes())
    }
}

fn fake(pairs: &[(&str, &str)], event: &str) -> Fake {
    let variables = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Fake { variables, event: event.to_owned() }
}

fn found(pairs: &[(&str, &str)]) -> Result<Pipeline, String> {
    pipeline(&fake(pairs, "")).map_err(|error| error.to_string())
}

fn github(event: &str, payload: &str) -> Result<Pipeline, String> {
    let pairs = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_EVENT_NAME", event),
        ("GITHUB_EVENT_PATH", "/event.json"),
        ("GITHUB_SERVER_URL", "https://github.com"),
        ("GITHUB_REPOSITORY", "o/r"),
    ];
    pipeline(&fake(&pairs, payload)).map_err(|error| error.to_string())
}

fn range(tip: &str, base: Base) -> Scope {
    Scope::Range { tip: tip.to_owned(), base }
}

fn commit(id: &str) -> Base {
    Base::Commit(id.to_owned())
}

fn branch(name: &str) -> Base {
    Base::Branch(name.to_owned())
}

#[test]
fn github_requests_and_pushes_are_ranges() {
    let request = format!(r#"{{"pull_request": {{"base": {{"sha": "{A}"}}, "head": {{"sha": "{B}"}}}}}}"#);
    for event in ["pull_request", "pull_request_target"] {
        let found = github(event, &request).unwrap();
        assert_eq!(found.scope, range(B, commit(A)));
        assert_eq!((found.event.as_str(), found.uri.as_deref()), (event, Some("https://github.com/o/r")));
    }
    let group = format!(r#"{{"merge_group": {{"base_sha": "{A}", "head_sha": "{B}"}}}}"#);
    assert_eq!(github("merge_group", &group).unwrap().scope, range(B, commit(A)));
    let push = |before: &str, after: &str, name: &str| {
        format!(
            r#"{{"before": "{before}", "after": "{after}", "ref": "refs/heads/{name}", "repository": {{"default_branch": "main"}}}}"#
        )
    };
    assert_eq!(github("push", &push(A, B, "main")).unwrap().scope, range(B, commit(A)));
    assert_eq!(github("push", &push(ZERO, B, "topic")).unwrap().scope, range(B, branch("main")));
    assert_eq!(github("push", &push(ZERO, B, "main")).unwrap().scope, Scope::Everything);
    assert!(github("push", &push(A, ZERO, "topic")).unwrap_err().contains("deleted"));
    for event in ["schedule", "workflow_dispatch"] {
        assert_eq!(github(event, "").unwrap().scope, Scope::Everything);
    }
}

#[test]
fn what_is_not_understood_is_an_error() {
    assert!(found(&[("CI", "true")]).unwrap_err().contains("no CI system that keycull knows"));
    assert!(github("issue_comment", "{}").unwrap_err().contains("`issue_comment`"));
    assert!(
        github("pull_request", "{}").unwrap_err().contains("pull_request.base.sha of the event is not set")
    );
    assert!(github("pull_request", "nonsense").unwrap_err().contains("cannot read the event"));
    let gone = [("GITHUB_ACTIONS", "true"), ("GITHUB_EVENT_NAME", "push"), ("GITHUB_EVENT_PATH", "/gone")];
    assert!(found(&gone).unwrap_err().contains("/gone"));
    // Values that would mean something else to git.
    for odd in ["main", "HEAD", "-x", "aaaa", ZERO] {
        let request =
            format!(r#"{{"pull_request": {{"base": {{"sha": "{odd}"}}, "head": {{"sha": "{B}"}}}}}}"#);
        assert!(github("pull_request", &request).unwrap_err().contains("is no commit"), "{odd}");
    }
    for odd in ["", "-x", "a..b", "a b", "a~1", "@{u}", "/a", "a^"] {
        let around =
            [("TF_BUILD", "True"), ("BUILD_REASON", "PullRequest"), ("SYSTEM_PULLREQUEST_TARGETBRANCH", odd)];
        assert!(found(&around).is_err(), "{odd}");
    }
}

#[test]
fn gitlab_knows_bases() {
    let around = |source: &'static str, before: &'static str, name: &'static str| {
        found(&[
            ("GITLAB_CI", "true"),
            ("CI_PIPELINE_SOURCE", source),
            ("CI_COMMIT_SHA", B),
            ("CI_COMMIT_BEFORE_SHA", before),
            ("CI_MERGE_REQUEST_DIFF_BASE_SHA", A),
            ("CI_DEFAULT_BRANCH", "main"),
            ("CI_COMMIT_REF_NAME", name),
        ])
    };
    assert_eq!(around("merge_request_event", ZERO, "topic").unwrap().scope, range(B, commit(A)));
    assert_eq!(around("push", A, "main").unwrap().scope, range(B, commit(A)));
    assert_eq!(around("push", ZERO, "topic").unwrap().scope, range(B, branch("main")));
    assert_eq!(around("push", ZERO, "main").unwrap().scope, Scope::Everything);
    assert_eq!(around("schedule", A, "main").unwrap().scope, Scope::Everything);
    assert!(around("something_new", A, "main").is_err());
}

#[test]
fn every_other_system_has_its_ranges() {
    let cases: [(&[(&str, &str)], Scope); 15] = [
        (
            &[
                ("TF_BUILD", "True"),
                ("BUILD_REASON", "PullRequest"),
                ("SYSTEM_PULLREQUEST_TARGETBRANCH", "refs/heads/main"),
                ("SYSTEM_PULLREQUEST_SOURCECOMMITID", B),
            ],
            range(B, branch("main")),
        ),
        (&[("TF_BUILD", "True"), ("BUILD_REASON", "Schedule")], Scope::Everything),
        (
            &[
                ("BITBUCKET_BUILD_NUMBER", "1"),
                ("BITBUCKET_PR_ID", "7"),
                ("BITBUCKET_PR_DESTINATION_BRANCH", "main"),
                ("BITBUCKET_COMMIT", B),
            ],
            range(B, branch("main")),
        ),
        (&[("BITBUCKET_BUILD_NUMBER", "1"), ("BITBUCKET_COMMIT", B)], Scope::Everything),
        (
            &[
                ("BUILDKITE", "true"),
                ("BUILDKITE_SOURCE", "webhook"),
                ("BUILDKITE_PULL_REQUEST", "7"),
                ("BUILDKITE_PULL_REQUEST_BASE_BRANCH", "main"),
                ("BUILDKITE_COMMIT", B),
            ],
            range(B, branch("main")),
        ),
        (
            &[
                ("BUILDKITE", "true"),
                ("BUILDKITE_SOURCE", "webhook"),
                ("BUILDKITE_PULL_REQUEST", "false"),
                ("BUILDKITE_PIPELINE_DEFAULT_BRANCH", "main"),
                ("BUILDKITE_BRANCH", "topic"),
                ("BUILDKITE_COMMIT", B),
            ],
            range(B, branch("main")),
        ),
        (&[("CIRCLECI", "true"), ("CIRCLE_SHA1", B)], Scope::Everything),
        (
            &[
                ("DRONE", "true"),
                ("DRONE_BUILD_EVENT", "pull_request"),
                ("DRONE_TARGET_BRANCH", "main"),
                ("DRONE_COMMIT_SHA", B),
            ],
            range(B, branch("main")),
        ),
        (
            &[
                ("DRONE", "true"),
                ("DRONE_BUILD_EVENT", "push"),
                ("DRONE_COMMIT_BEFORE", A),
                ("DRONE_COMMIT_SHA", B),
            ],
            range(B, commit(A)),
        ),
        (
            &[("JENKINS_URL", "http://j"), ("CHANGE_ID", "7"), ("CHANGE_TARGET", "main"), ("GIT_COMMIT", B)],
            range(B, branch("main")),
        ),
        (
            &[("JENKINS_URL", "http://j"), ("GIT_PREVIOUS_SUCCESSFUL_COMMIT", A), ("GIT_COMMIT", B)],
            range(B, commit(A)),
        ),
        (&[("JENKINS_URL", "http://j"), ("GIT_COMMIT", B)], Scope::Everything),
        (
            &[
                ("TRAVIS", "true"),
                ("TRAVIS_EVENT_TYPE", "push"),
                ("TRAVIS_COMMIT", B),
                ("TRAVIS_COMMIT_RANGE", concat!("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "...bbbb")),
            ],
            range(B, commit(A)),
        ),
        (
            &[
                ("CI", "woodpecker"),
                ("DRONE", "true"),
                ("CI_PIPELINE_EVENT", "push"),
                ("CI_PREV_COMMIT_SHA", A),
                ("CI_COMMIT_SHA", B),
            ],
            range(B, commit(A)),
        ),
        (&[("CI", "woodpecker"), ("CI_PIPELINE_EVENT", "cron")], Scope::Everything),
    ];
    for (around, scope) in cases {
        assert_eq!(
            found(around).unwrap_or_else(|error| panic!("{around:?}: {error}")).scope,
            scope,
            "{around:?}"
        );
    }
    for around in [
        [("TF_BUILD", "True"), ("BUILD_REASON", "New")],
        [("BUILDKITE", "true"), ("BUILDKITE_SOURCE", "new")],
        [("DRONE", "true"), ("DRONE_BUILD_EVENT", "new")],
        [("TRAVIS", "true"), ("TRAVIS_EVENT_TYPE", "new")],
        [("CI", "woodpecker"), ("CI_PIPELINE_EVENT", "new")],
        [("DRONE", "true"), ("DRONE_BUILD_EVENT", "push")],
        [("JENKINS_URL", "http://j"), ("CHANGE_ID", "7")],
    ] {
        assert!(found(&around).is_err(), "{around:?}");
    }
}
