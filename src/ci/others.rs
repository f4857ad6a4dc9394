//! The systems that need few words, each from the page of its predefined variables.

use super::{CiError, Pipeline, Values};

/// "Predefined variables", Azure Pipelines. Pushes come without what was there before.
pub(super) fn azure(values: &Values<'_>) -> Result<Pipeline, CiError> {
    let reason = values.need("BUILD_REASON")?;
    let mut found = match reason.as_str() {
        "PullRequest" => {
            let base = values.branch("SYSTEM_PULLREQUEST_TARGETBRANCH")?;
            // BUILD_SOURCEVERSION is a merge that only Azure knows.
            values.change(&reason, base, values.commit("SYSTEM_PULLREQUEST_SOURCECOMMITID")?)
        }
        "IndividualCI" | "BatchedCI" => {
            values.everything(&reason, "nothing says what was there before the push")
        }
        "Schedule" | "Manual" | "ResourceTrigger" | "BuildCompletion" => {
            values.everything(&reason, "no change started this")
        }
        other => return Err(values.unknown(other)),
    };
    found.uri = values.get("BUILD_REPOSITORY_URI");
    found.branch = values.get("BUILD_SOURCEBRANCHNAME");
    Ok(found)
}

/// "Variables and secrets", Bitbucket Pipelines. Nothing tells a push from a schedule.
pub(super) fn bitbucket(values: &Values<'_>) -> Result<Pipeline, CiError> {
    let mut found = if values.get("BITBUCKET_PR_ID").is_some() {
        let base = values.branch("BITBUCKET_PR_DESTINATION_BRANCH")?;
        // BITBUCKET_PR_DESTINATION_COMMIT is cut to 12 digits.
        values.change("pull request", base, values.commit("BITBUCKET_COMMIT")?)
    } else {
        values.everything("push or schedule", "nothing says what was there before")
    };
    found.uri = values.get("BITBUCKET_GIT_HTTP_ORIGIN");
    found.branch = values.get("BITBUCKET_BRANCH");
    Ok(found)
}

/// "Environment variables", Buildkite.
pub(super) fn buildkite(values: &Values<'_>) -> Result<Pipeline, CiError> {
    let source = values.need("BUILDKITE_SOURCE")?;
    let request = values.get("BUILDKITE_PULL_REQUEST").is_some_and(|number| number != "false");
    let branch = values.get("BUILDKITE_BRANCH");
    let mut found = match source.as_str() {
        _ if request => {
            let base = values.branch("BUILDKITE_PULL_REQUEST_BASE_BRANCH")?;
            values.change("pull request", base, values.commit("BUILDKITE_COMMIT")?)
        }
        "webhook" => {
            let default = values.branch("BUILDKITE_PIPELINE_DEFAULT_BRANCH").ok();
            values.push(&source, None, default, values.commit("BUILDKITE_COMMIT")?, branch.as_deref())
        }
        "ui" | "api" | "trigger_job" | "schedule" => values.everything(&source, "no change started this"),
        other => return Err(values.unknown(other)),
    };
    found.uri = values.get("BUILDKITE_REPO");
    found.branch = branch;
    Ok(found)
}

/// "Project values and variables", CircleCI. A job sees no base; `--base` can be given one.
pub(super) fn circle(values: &Values<'_>) -> Result<Pipeline, CiError> {
    let mut found = values.everything("pipeline", "CircleCI tells jobs no base: see --base");
    found.uri = values.get("CIRCLE_REPOSITORY_URL");
    found.branch = values.get("CIRCLE_BRANCH");
    Ok(found)
}

/// "Environment reference", Drone.
pub(super) fn drone(values: &Values<'_>) -> Result<Pipeline, CiError> {
    let event = values.need("DRONE_BUILD_EVENT")?;
    let branch = values.get("DRONE_BRANCH");
    let mut found = match event.as_str() {
        "pull_request" => {
            let base = values.branch("DRONE_TARGET_BRANCH")?;
            values.change(&event, base, values.commit("DRONE_COMMIT_SHA")?)
        }
        "push" => {
            let before = values.commit_if_any("DRONE_COMMIT_BEFORE")?;
            let default = values.branch("DRONE_REPO_BRANCH").ok();
            values.push(&event, before, default, values.commit("DRONE_COMMIT_SHA")?, branch.as_deref())
        }
        "tag" | "cron" | "custom" | "promote" | "rollback" => {
            values.everything(&event, "no change started this")
        }
        other => return Err(values.unknown(other)),
    };
    found.uri = values.get("DRONE_REPO_LINK");
    found.branch = values.get("DRONE_SOURCE_BRANCH").or(branch);
    Ok(found)
}

/// "Using environment variables", Jenkins, with those of the git plugin and of multibranch pipelines.
///
/// The base of a push is the last build that passed: what a red build found stays in view.
pub(super) fn jenkins(values: &Values<'_>) -> Result<Pipeline, CiError> {
    let mut found = if values.get("CHANGE_ID").is_some() {
        values.change("pull request", values.branch("CHANGE_TARGET")?, values.commit("GIT_COMMIT")?)
    } else {
        let before = values.commit_if_any("GIT_PREVIOUS_SUCCESSFUL_COMMIT")?;
        let tip = values.commit("GIT_COMMIT")?;
        match before {
            // The same commit again, for example at night: there is no change to judge.
            Some(before) if before == tip => values.everything("build", "nothing changed since the last one"),
            before => values.push("build", before, None, tip, None),
        }
    };
    found.uri = values.get("GIT_URL");
    found.branch = values.get("CHANGE_BRANCH").or_else(|| values.get("BRANCH_NAME"));
    Ok(found)
}

/// "Environment variables", Travis CI.
pub(super) fn travis(values: &Values<'_>) -> Result<Pipeline, CiError> {
    let event = values.need("TRAVIS_EVENT_TYPE")?;
    let mut found = match event.as_str() {
        "pull_request" => {
            let base = values.branch("TRAVIS_BRANCH")?;
            values.change(&event, base, values.commit("TRAVIS_PULL_REQUEST_SHA")?)
        }
        "push" => {
            let tip = values.commit("TRAVIS_COMMIT")?;
            // Empty for new branches.
            let before = match values.get("TRAVIS_COMMIT_RANGE") {
                Some(range) => {
                    let before = range.split("..").next().unwrap_or_default().to_owned();
                    Some(values.object("TRAVIS_COMMIT_RANGE", &before)?)
                }
                None => None,
            };
            values.push(&event, before, None, tip, None)
        }
        "cron" | "api" => values.everything(&event, "no change started this"),
        other => return Err(values.unknown(other)),
    };
    found.branch = values.get("TRAVIS_PULL_REQUEST_BRANCH").or_else(|| values.get("TRAVIS_BRANCH"));
    Ok(found)
}

/// "Environment variables", Woodpecker CI.
pub(super) fn woodpecker(values: &Values<'_>) -> Result<Pipeline, CiError> {
    let event = values.need("CI_PIPELINE_EVENT")?;
    let branch = values.get("CI_COMMIT_BRANCH");
    let mut found = match event.as_str() {
        "pull_request" => {
            let base = values.branch("CI_COMMIT_TARGET_BRANCH")?;
            values.change(&event, base, values.commit("CI_COMMIT_SHA")?)
        }
        "push" => {
            let before = values.commit_if_any("CI_PREV_COMMIT_SHA")?;
            let default = values.branch("CI_REPO_DEFAULT_BRANCH").ok();
            values.push(&event, before, default, values.commit("CI_COMMIT_SHA")?, branch.as_deref())
        }
        "tag" | "release" | "cron" | "manual" | "deployment" => {
            values.everything(&event, "no change started this")
        }
        other => return Err(values.unknown(other)),
    };
    found.uri = values.get("CI_REPO_URL");
    found.branch = values.get("CI_COMMIT_SOURCE_BRANCH").or(branch);
    Ok(found)
}
