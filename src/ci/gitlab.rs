//! GitLab CI. Facts: GitLab's page "Predefined CI/CD variables reference".

use super::{Base, CiError, Pipeline, Values};

/// Sources of pipelines that no change started.
const WHOLE: [&str; 7] = ["schedule", "web", "api", "trigger", "pipeline", "parent_pipeline", "chat"];

pub(super) fn pipeline(values: &Values<'_>) -> Result<Pipeline, CiError> {
    let source = values.need("CI_PIPELINE_SOURCE")?;
    let mut found = match source.as_str() {
        "merge_request_event" | "external_pull_request_event" => {
            // In merged results pipelines CI_COMMIT_SHA is a commit that only GitLab knows.
            let theirs = values.commit_if_any("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA")?;
            let tip = theirs.map_or_else(|| values.commit("CI_COMMIT_SHA"), Ok)?;
            let base = if source == "merge_request_event" {
                Base::Commit(values.commit("CI_MERGE_REQUEST_DIFF_BASE_SHA")?)
            } else {
                Base::Commit(values.commit("CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_SHA")?)
            };
            values.change(&source, base, tip)
        }
        "push" => {
            let tip = values.commit("CI_COMMIT_SHA")?;
            let before = values.commit_if_any("CI_COMMIT_BEFORE_SHA")?;
            let default = values.get("CI_DEFAULT_BRANCH").map(Base::Branch);
            let name = values.get("CI_COMMIT_REF_NAME");
            values.push(&source, before, default, tip, name.as_deref())
        }
        whole if WHOLE.contains(&whole) => values.everything(&source, "no change started this"),
        other => return Err(values.unknown(other)),
    };
    found.uri = values.get("CI_PROJECT_URL");
    found.branch =
        values.get("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME").or_else(|| values.get("CI_COMMIT_REF_NAME"));
    Ok(found)
}
