//! Writes what came of each key into the reports that name it, so that what follows them knows.
//!
//! JSON report and JSON lines get a `revocation` object. In SARIF the results of dead keys are
//! suppressed with the proof as justification; in a baseline the proof is the entry's `receipt`. A file is replaced as a whole or not at all.

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
    if let Some(stamped) = baseline_stamped(text, &items, &at) {
        return Ok(stamped);
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
    object.get("schema")?;
    let mut count = 0;
    for finding in object.get_mut("findings")?.as_array_mut()? {
        count += usize::from(finding_stamped(finding, items, at)?);
    }
    Some(count)
}

/// A baseline: `[[finding]]` tables in TOML. Comments and the order of keys stay as people wrote them, so the
/// text is edited, not written anew. None when there is no such table.
fn baseline_stamped(text: &str, items: &Items<'_>, at: &str) -> Option<(String, usize)> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let starts = lines.iter().enumerate().filter(|(_, line)| line.trim() == "[[finding]]");
    let starts: Vec<usize> = starts.map(|(at, _)| at).collect();
    let first = *starts.first()?;
    let (mut out, mut count) = (lines[..first].concat(), 0);
    for (index, &start) in starts.iter().enumerate() {
        let end = starts.get(index + 1).copied().unwrap_or(lines.len());
        let entry = &lines[start..end];
        let dead = entry
            .iter()
            .find_map(|line| items.get(value_of(line, "fingerprint")?).copied())
            .filter(|i| is_dead(i));
        let Some(item) = dead else {
            out.push_str(&entry.concat());
            continue;
        };
        // Comments and blank lines at its end belong to the next entry.
        let is_key = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
        let keys = entry.iter().rposition(is_key).map_or(entry.len(), |last| last + 1);
        for line in entry[..keys].iter().filter(|line| value_of(line, "receipt").is_none()) {
            out.push_str(line.trim_end_matches(['\r', '\n']));
            out.push('\n');
        }
        // A string of JSON is a basic string of TOML.
        out.push_str(&format!("receipt = {}\n", Value::from(sentence(item, at))));
        out.push_str(&entry[keys..].concat());
        count += 1;
    }
    Some((out, count))
}

/// What stands between the quotes in `key = "value"`.
fn value_of<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let rest = line.trim_start().strip_prefix(key)?.trim_start().strip_prefix('=')?.trim_start();
    let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    rest[1..].split(quote).next()
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
    let own = item_of(finding, items)?;
    let mut parts = None;
    if let Some(components) = finding.get_mut("components").and_then(Value::as_array_mut) {
        for component in components.iter_mut().filter_map(Value::as_object_mut) {
            if let Some(item) = item_of(component, items)? {
                component.insert("revocation".to_owned(), proof(item, at));
                parts = parts.or(Some(item));
            }
        }
    }
    // What became of one half became of the credential.
    let Some(item) = own.or(parts) else { return Some(false) };
    finding.insert("revocation".to_owned(), proof(item, at));
    Some(true)
}

fn sarif_stamped(document: &mut Map<String, Value>, items: &Items<'_>, at: &str) -> Option<usize> {
    let mut count = 0;
    for run in document.get_mut("runs")?.as_array_mut()? {
        let Some(results) = run.get_mut("results").and_then(Value::as_array_mut) else { continue };
        for result in results {
            let own = result.pointer("/fingerprints/keycull~1v1");
            let parts = result.pointer("/properties/components").and_then(Value::as_array);
            let parts = parts.into_iter().flatten().filter_map(|part| part.get("fingerprint"));
            let prints = own.into_iter().chain(parts).filter_map(Value::as_str);
            let Some(item) = prints.filter_map(|print| items.get(print)).next() else { continue };
            let item = *item;
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
    fn a_baseline_keeps_what_people_wrote() {
        let before = "schema = 1\n\n# asked Dana\n[[finding]]\nreason = 'x' # odd\nfingerprint = \"t1:00\"\nreceipt = \"old\"\n\n# other\n[[finding]]\nfingerprint = \"t1:11\"\n";
        let (text, count) = stamp(before, &report(Outcome::Revoked), 1_800_000_000).expect("is known");
        let proof = "receipt = \"revoked on 2027-01-15T08:00:00Z: found dead: status 401: dead\"\n";
        assert_eq!(count, 1);
        assert_eq!(text, before.replace("receipt = \"old\"\n", proof));
        let (same, count) = stamp(before, &report(Outcome::Unknown), 0).expect("is known");
        assert_eq!((same.as_str(), count), (before, 0), "only a dead key has a receipt");
    }

    #[test]
    fn other_files_are_left_alone() {
        for text in ["hello", "{\"a\":1}", "[1,2]", "{\"fingerprint\":\"t1:00\"}\nnonsense\n"] {
            assert!(stamp(text, &report(Outcome::Revoked), 0).is_err(), "{text}");
        }
    }
}
