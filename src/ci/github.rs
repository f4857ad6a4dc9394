//! GitHub Actions: the event is described by a JSON file.
//!
//! Facts: GitHub's pages "Variables reference" and "Webhook events and payloads".

use std::path::PathBuf;

use serde_json::Value;

use super::{Base, CiError, Pipeline, Values, is_zero};

/// Events after which the whole repository is scanned.
const WHOLE: [&str; 4] = ["schedule", "workflow_dispatch", "repository_dispatch", "release"];

pub(super) fn pipeline(values: &Values<'_>) -> Result<Pipeline, CiError> {
    let event = values.need("GITHUB_EVENT_NAME")?;
    let mut found = match event.as_str() {
        "pull_request" | "pull_request_target" | "pull_request_review" => {
            let payload = Payload::read(values)?;
            let base = Base::Commit(payload.commit("/pull_request/base/sha")?);
            values.change(&event, base, payload.commit("/pull_request/head/sha")?)
        }
        "merge_group" => {
            let payload = Payload::read(values)?;
            let base = Base::Commit(payload.commit("/merge_group/base_sha")?);
            values.change(&event, base, payload.commit("/merge_group/head_sha")?)
        }
        "push" => push(values, &event)?,
        whole if WHOLE.contains(&whole) => values.everything(&event, "no change started this"),
        other => return Err(values.unknown(other)),
    };
    let address = values.get("GITHUB_SERVER_URL").zip(values.get("GITHUB_REPOSITORY"));
    found.uri = address.map(|(server, name)| format!("{server}/{name}"));
    found.branch = values.get("GITHUB_HEAD_REF").or_else(|| values.get("GITHUB_REF_NAME"));
    Ok(found)
}

fn push(values: &Values<'_>, event: &str) -> Result<Pipeline, CiError> {
    let payload = Payload::read(values)?;
    if payload.text("/after").is_some_and(is_zero) {
        return Err(CiError::Deleted { system: values.system });
    }
    let tip = payload.commit("/after")?;
    let before = match payload.text("/before") {
        Some(before) if !is_zero(before) => Some(payload.commit("/before")?),
        Some(_) | None => None,
    };
    let default = payload.text("/repository/default_branch").map(|name| Base::Branch(name.to_owned()));
    let branch = payload.text("/ref").map(|name| name.strip_prefix("refs/heads/").unwrap_or(name));
    Ok(values.push(event, before, default, tip, branch))
}

/// The event.
struct Payload<'a> {
    values: &'a Values<'a>,
    json: Value,
}

impl<'a> Payload<'a> {
    fn read(values: &'a Values<'a>) -> Result<Self, CiError> {
        let file = PathBuf::from(values.need("GITHUB_EVENT_PATH")?);
        let failed = |why: String| CiError::EventFile { system: values.system, file: file.clone(), why };
        let bytes = values.around.read(&file).map_err(|error| failed(error.to_string()))?;
        let json = serde_json::from_slice(&bytes).map_err(|error| failed(error.to_string()))?;
        Ok(Self { values, json })
    }

    fn text(&self, at: &str) -> Option<&str> {
        self.json.pointer(at).and_then(Value::as_str)
    }

    fn commit(&self, at: &str) -> Result<String, CiError> {
        let name = format!("{} of the event", at.trim_start_matches('/').replace('/', "."));
        match self.text(at) {
            Some(value) => self.values.object(&name, value),
            None => Err(CiError::Unset { system: self.values.system, variable: name }),
        }
    }
}
