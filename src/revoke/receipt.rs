//! Writes what came of each key into the reports that name it, so that what follows them knows.
//!
//! JSON report and JSON lines get a `revocation` object. In SARIF the results of dead keys are
//! suppressed with the proof as justification, and in a baseline they are known with the proof as
//! reason. A file is replaced as a whole or not at all.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::{ApplyReport, ItemReport, Outcome, private_file};

/// Why a file got no receipt; it is as it was.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptError {
    /// It cannot be read or written.
    #[error("{0}")]
    File(#[from] std::io::Error),
    /// It is none of the forms known.
    #[error("it is neither a JSON report, JSON lines, SARIF, nor a baseline of keycull")]
    Form,
}

/// Stamps every entry of `file` whose key is in `report`, at `now` (seconds since 1970 UTC); gives their number.
///
/// # Errors
///
/// See [`ReceiptError`].
pub fn write_receipt(file: &Path, report: &ApplyReport, now: i64) -> Result<usize, ReceiptError> {
    let text = std::fs::read_to_string(file)?;
    let (stamped, count) = stamp(&text, report, now)?;
    if count > 0 {
        private_file::replace(file, stamped.as_bytes())?;
    }
    Ok(count)
}

/// Outcomes by fingerprint.
type Items<'a> = BTreeMap<&'a str, &'a ItemReport>;

fn stamp(text: &str, report: &ApplyReport, now: i64) -> Result<(String, usize), ReceiptError> {
    let items: Items<'_> = report.items.iter().map(|item| (item.fingerprint.as_str(), item)).collect();
    let at = jiff::Timestamp::from_second(now).map(|time| time.to_string()).unwrap_or_default();
    if let Ok(mut document) = serde_json::from_str::<Value>(text)
        && let Some(count) = document_stamped(&mut document, &items, &at)
    {
        // NOTE: it was JSON a moment ago, and nothing else was put in.
        return Ok((serde_json::to_string_pretty(&document).expect("JSON serialises") + "\n", count));
    }
    let (mut out, mut count) = (String::new(), 0);
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let mut finding: Value = serde_json::from_str(line).map_err(|_| ReceiptError::Form)?;
        count += usize::from(finding_stamped(&mut finding, &items, &at).ok_or(ReceiptError::Form)?);
        out.push_str(&finding.to_string());
        out.push('\n');
    }
    Ok((out, count))
}

/// None when the document is of no known form, or a single finding.
fn document_stamped(document: &mut Value, items: &Items<'_>, at: &str) -> Option<usize> {
    let object = document.as_object_mut()?;
    if object.contains_key("runs") {
        return sarif_stamped(object, items, at);
    }
    let list = if object.get("schema").and_then(Value::as_str) == Some("keycull/report/1") {
        "findings"
    } else {
        ["entries", "findings", "baseline"]
            .into_iter()
            .find(|key| object.get(*key).is_some_and(Value::is_array))?
    };
    let is_report = list == "findings";
    let list = object.get_mut(list)?.as_array_mut()?;
    let mut count = 0;
    for entry in list {
        let stamped =
            if is_report { finding_stamped(entry, items, at)? } else { entry_stamped(entry, items, at)? };
        count += usize::from(stamped);
    }
    Some(count)
}

fn proof(item: &ItemReport, at: &str) -> Value {
    let mut proof = json!({ "outcome": item.outcome.as_str(), "reason": item.reason, "at": at });
    if let Some(status) = item.status {
        proof["status"] = status.into();
    }
    proof
}

/// The item that names the fingerprint of `entry`; the outer None when it has none.
fn item_of<'a>(entry: &Map<String, Value>, items: &Items<'a>) -> Option<Option<&'a ItemReport>> {
    Some(items.get(entry.get("fingerprint")?.as_str()?).copied())
}

fn finding_stamped(finding: &mut Value, items: &Items<'_>, at: &str) -> Option<bool> {
    let finding = finding.as_object_mut()?;
    let Some(item) = item_of(finding, items)? else { return Some(false) };
    finding.insert("revocation".to_owned(), proof(item, at));
    Some(true)
}

/// An entry of a baseline: a dead key is known, and why.
fn entry_stamped(entry: &mut Value, items: &Items<'_>, at: &str) -> Option<bool> {
    let entry = entry.as_object_mut()?;
    let Some(item) = item_of(entry, items)?.filter(|item| is_dead(item)) else { return Some(false) };
    entry.insert("reason".to_owned(), sentence(item, at).into());
    Some(true)
}

fn sarif_stamped(document: &mut Map<String, Value>, items: &Items<'_>, at: &str) -> Option<usize> {
    let mut count = 0;
    for run in document.get_mut("runs")?.as_array_mut()? {
        let Some(results) = run.get_mut("results").and_then(Value::as_array_mut) else { continue };
        for result in results {
            let print = result.pointer("/fingerprints/keycull~1v1").and_then(Value::as_str);
            let Some(item) = print.and_then(|print| items.get(print)) else { continue };
            let result = result.as_object_mut()?;
            let bag = result.entry("properties").or_insert_with(|| json!({}));
            bag.as_object_mut()?.insert("revocation".to_owned(), proof(item, at));
            if is_dead(item) {
                let why =
                    json!({ "kind": "external", "status": "accepted", "justification": sentence(item, at) });
                result.insert("suppressions".to_owned(), json!([why]));
            }
            count += 1;
        }
    }
    Some(count)
}

fn is_dead(item: &ItemReport) -> bool {
    matches!(item.outcome, Outcome::Revoked | Outcome::AlreadyDead)
}

fn sentence(item: &ItemReport, at: &str) -> String {
    format!("{} on {at}: {}", item.outcome.as_str(), item.reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(outcome: Outcome) -> ApplyReport {
        let item = ItemReport {
            id: "0011aabb".to_owned(),
            rule: "r".to_owned(),
            fingerprint: "t1:00".to_owned(),
            redacted: "[redacted]".to_owned(),
            outcome,
            reason: "found dead: status 401: dead".to_owned(),
            status: Some(401),
            rotate: String::new(),
            in_use: Vec::new(),
            in_history: false,
        };
        ApplyReport { items: vec![item], ..ApplyReport::default() }
    }

    fn stamped(text: &str, outcome: Outcome) -> (Vec<Value>, usize) {
        let (text, count) = stamp(text, &report(outcome), 1_800_000_000).expect("is known");
        let whole = serde_json::from_str(&text).map(|one: Value| vec![one]);
        (
            whole.unwrap_or_else(|_| text.lines().map(|l| serde_json::from_str(l).expect("JSON")).collect()),
            count,
        )
    }

    #[test]
    fn findings_get_the_proof() {
        let lines = "{\"fingerprint\":\"t1:00\"}\n{\"fingerprint\":\"t1:11\"}\n";
        let (found, count) = stamped(lines, Outcome::Revoked);
        assert_eq!((count, found.len()), (1, 2));
        assert_eq!(found[0]["revocation"]["outcome"], "revoked");
        assert_eq!(found[0]["revocation"]["at"], "2027-01-15T08:00:00Z");
        assert!(found[1].get("revocation").is_none());
        let (one, count) = stamped("{\"fingerprint\":\"t1:00\"}\n", Outcome::Unknown);
        assert_eq!((count, &one[0]["revocation"]["outcome"]), (1, &json!("unknown")));
        let document = r#"{"schema":"keycull/report/1","findings":[{"fingerprint":"t1:00"}]}"#;
        assert_eq!(stamped(document, Outcome::Revoked).0[0]["findings"][0]["revocation"]["status"], 401);
    }

    #[test]
    fn only_dead_keys_are_suppressed_in_sarif() {
        let document =
            r#"{"version":"2.1.0","runs":[{"results":[{"fingerprints":{"keycull/v1":"t1:00"}},{}]}]}"#;
        let (dead, count) = stamped(document, Outcome::Revoked);
        let result = &dead[0]["runs"][0]["results"][0];
        assert_eq!((count, &result["suppressions"][0]["status"]), (1, &json!("accepted")));
        assert!(
            result["suppressions"][0]["justification"]
                .as_str()
                .is_some_and(|why| why.starts_with("revoked on"))
        );
        let (open, _) = stamped(document, Outcome::AcceptedUnproven);
        let result = &open[0]["runs"][0]["results"][0];
        assert!(result.get("suppressions").is_none());
        assert_eq!(result["properties"]["revocation"]["outcome"], "accepted-unproven");
    }

    #[test]
    fn other_files_are_left_alone() {
        for text in ["hello", "{\"a\":1}", "[1,2]", "{\"fingerprint\":\"t1:00\"}\nnonsense\n"] {
            assert!(stamp(text, &report(Outcome::Revoked), 0).is_err(), "{text}");
        }
    }
}
