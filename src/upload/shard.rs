//! A SARIF log as code scanning takes it: one file for each category, gzip and base64, no file beyond the limits.
//!
//! Limits: GitHub's page "SARIF support for code scanning".

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::UploadError;

/// What one upload may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Results of a run.
    pub results: usize,
    /// Bytes of the compressed file, before base64.
    pub bytes: usize,
}

impl Default for Limits {
    /// Those of GitHub: 25,000 results, 10 MB.
    fn default() -> Self {
        Self { results: 25_000, bytes: 10_000_000 }
    }
}

/// One upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shard {
    /// What it replaces: everything that was uploaded under this name before.
    pub category: String,
    /// Name of the driver.
    pub tool: String,
    /// Results in it.
    pub results: usize,
    /// Bytes after compression.
    pub bytes: usize,
    /// The file, gzip and base64.
    pub sarif: String,
}

/// Divides `sarif` into uploads: one for each run, and more where a run is too large.
///
/// The first upload of a run keeps its category, others get `-2`, `-3` behind it; the most severe
/// results come first. A run without results is an upload, too: it closes what was open.
///
/// # Errors
/// What is no SARIF log, two runs of one category, and a single result beyond the limits.
pub fn shards(sarif: &Value, limits: Limits) -> Result<Vec<Shard>, UploadError> {
    let runs = sarif.get("runs").and_then(Value::as_array).ok_or(UploadError::NoSarif)?;
    let mut all: Vec<Shard> = Vec::new();
    let mut seen = BTreeSet::new();
    for run in runs {
        let category = category(run);
        if !seen.insert((tool(run), category.clone())) {
            return Err(UploadError::SameCategory { category });
        }
        let mut results: Vec<&Value> = results(run).iter().collect();
        results.sort_by_key(|result| Reverse(rank(run, result)));
        let mut parts = Vec::new();
        if results.is_empty() {
            parts.push(pack(sarif, run, &[], &category)?);
        }
        for chunk in results.chunks(limits.results.max(1)) {
            split(sarif, run, chunk, limits, &category, &mut parts)?;
        }
        // Packed again under the category of their number, which is a few bytes more.
        for (number, part) in (1..).zip(parts) {
            all.push(if number == 1 {
                part.0
            } else {
                pack(sarif, run, &part.1, &numbered(&category, number))?.0
            });
        }
    }
    Ok(all)
}

/// An upload and its results.
type Part<'a> = (Shard, Vec<&'a Value>);

fn split<'a>(
    sarif: &Value,
    run: &Value,
    results: &[&'a Value],
    limits: Limits,
    category: &str,
    parts: &mut Vec<Part<'a>>,
) -> Result<(), UploadError> {
    let part = pack(sarif, run, results, category)?;
    // Room for the number behind the category.
    if part.0.bytes.saturating_add(64) <= limits.bytes {
        parts.push(part);
        return Ok(());
    }
    if results.len() < 2 {
        return Err(UploadError::TooLarge {
            category: category.to_owned(),
            bytes: part.0.bytes,
            most: limits.bytes,
        });
    }
    let (first, second) = results.split_at(results.len() / 2);
    split(sarif, run, first, limits, category, parts)?;
    split(sarif, run, second, limits, category, parts)
}

/// A file with one run that holds `results` and the rules they name.
fn pack<'a>(
    sarif: &Value,
    run: &Value,
    results: &[&'a Value],
    category: &str,
) -> Result<Part<'a>, UploadError> {
    let mut run = run.clone();
    let whole = self::results(&run).len() == results.len();
    let mut kept: Vec<Value> = results.iter().map(|result| (*result).clone()).collect();
    if !whole {
        keep_rules(&mut run, &mut kept);
    }
    run["results"] = Value::Array(kept);
    run["automationDetails"]["id"] = json!(category);
    let mut file = sarif.clone();
    file["runs"] = json!([run]);
    let text = serde_json::to_vec(&file).map_err(|_| UploadError::NoSarif)?;
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    // NOTE: a vector takes everything.
    let packed = gzip.write_all(&text).and_then(|()| gzip.finish()).map_err(|_| UploadError::NoSarif)?;
    let shard = Shard {
        category: category.to_owned(),
        tool: tool(&run),
        results: results.len(),
        bytes: packed.len(),
        sarif: STANDARD.encode(&packed),
    };
    Ok((shard, results.to_vec()))
}

/// Leaves the rules that `results` name, and lets their indexes follow.
fn keep_rules(run: &mut Value, results: &mut [Value]) {
    let Some(rules) = run.pointer("/tool/driver/rules").and_then(Value::as_array) else { return };
    let by_index = |result: &Value| {
        let index = result.get("ruleIndex").and_then(Value::as_u64)?;
        rules.get(usize::try_from(index).ok()?)?.get("id")?.as_str().map(ToOwned::to_owned)
    };
    let named = |result: &Value| result.get("ruleId").and_then(Value::as_str).map(ToOwned::to_owned);
    let ids: Vec<Option<String>> =
        results.iter().map(|result| named(result).or_else(|| by_index(result))).collect();
    let id = |rule: &Value| rule.get("id").and_then(Value::as_str).map(ToOwned::to_owned);
    let kept: Vec<Value> = rules.iter().filter(|rule| ids.contains(&id(rule))).cloned().collect();
    for (result, wanted) in results.iter_mut().zip(&ids) {
        if result.get("ruleIndex").is_some() {
            match kept.iter().position(|rule| id(rule) == *wanted) {
                Some(at) => result["ruleIndex"] = json!(at),
                None => result["ruleIndex"] = json!(-1),
            }
        }
    }
    run["tool"]["driver"]["rules"] = Value::Array(kept);
}

/// The same upload without results: what closes alerts under a category that is not needed any more.
pub(super) fn emptied(sarif: &Value, tool_name: &str, category: &str) -> Result<Option<Shard>, UploadError> {
    let runs = sarif.get("runs").and_then(Value::as_array).ok_or(UploadError::NoSarif)?;
    let run = runs.iter().find(|run| tool(run) == tool_name);
    run.map(|run| pack(sarif, run, &[], category).map(|part| part.0)).transpose()
}

/// Category of upload `number` of a run.
fn numbered(category: &str, number: usize) -> String {
    format!("{}-{number}/", category.trim_end_matches('/'))
}

/// The number that [`numbered`] put behind `base`.
pub(super) fn number_behind(base: &str, category: &str) -> Option<usize> {
    let rest = category.trim_end_matches('/').strip_prefix(base.trim_end_matches('/'))?;
    rest.strip_prefix('-')?.parse().ok().filter(|number| *number > 1)
}

/// What a run replaces: its identifier up to the last slash.
fn category(run: &Value) -> String {
    let id = run.pointer("/automationDetails/id").and_then(Value::as_str).unwrap_or_default();
    id.rfind('/').map_or(String::new(), |at| id[..=at].to_owned())
}

fn tool(run: &Value) -> String {
    run.pointer("/tool/driver/name").and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn results(run: &Value) -> &[Value] {
    run.get("results").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// How severe a result is: the score of its rule in thousandths, else its level.
fn rank(run: &Value, result: &Value) -> u32 {
    let rules = run.pointer("/tool/driver/rules").and_then(Value::as_array);
    let id = result.get("ruleId").and_then(Value::as_str);
    let rule = rules.and_then(|rules| rules.iter().find(|rule| rule.get("id").and_then(Value::as_str) == id));
    let score = rule
        .and_then(|rule| rule.pointer("/properties/security-severity"))
        .and_then(Value::as_str)
        .and_then(|text| text.parse::<f64>().ok());
    match (score, result.get("level").and_then(Value::as_str)) {
        // NOTE: scores go from 0 to 10, so the cast neither wraps nor loses anything that matters.
        (Some(score), _) => (score.clamp(0.0, 10.0) * 1000.0) as u32,
        (None, Some("error")) => 7000,
        (None, Some("note" | "none")) => 1000,
        (None, _) => 4000,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;

    use super::*;

    fn run(category: &str, results: usize) -> Value {
        let rules: Vec<Value> = (0..3)
            .map(|n| json!({"id": format!("r{n}"), "properties": {"security-severity": format!("{}.0", 3 + n)}}))
            .collect();
        let results: Vec<Value> = (0..results)
            .map(|n| json!({"ruleId": format!("r{}", n % 3), "ruleIndex": n % 3, "message": {"text": format!("n{n}")}}))
            .collect();
        json!({"tool": {"driver": {"name": "keycull", "rules": rules}}, "automationDetails": {"id": category}, "results": results})
    }

    fn opened(shard: &Shard) -> Value {
        let packed = STANDARD.decode(&shard.sarif).unwrap();
        assert_eq!(packed.len(), shard.bytes);
        let mut text = String::new();
        GzDecoder::new(packed.as_slice()).read_to_string(&mut text).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn each_run_is_an_upload_of_its_own() {
        let log = json!({"version": "2.1.0", "runs": [run("keycull/tree/", 2), run("keycull/history/7", 0)]});
        let all = shards(&log, Limits::default()).unwrap();
        let told: Vec<_> = all.iter().map(|shard| (shard.category.as_str(), shard.results)).collect();
        assert_eq!(told, [("keycull/tree/", 2), ("keycull/history/", 0)]);
        assert_eq!(opened(&all[0])["runs"].as_array().unwrap().len(), 1);
        assert_eq!(opened(&all[0])["version"], "2.1.0");
    }

    #[test]
    fn large_runs_are_divided_and_nothing_is_lost() {
        let log = json!({"runs": [run("k/tree/", 10)]});
        let all = shards(&log, Limits { results: 4, bytes: 1 << 20 }).unwrap();
        let told: Vec<_> = all.iter().map(|shard| (shard.category.as_str(), shard.results)).collect();
        assert_eq!(told, [("k/tree/", 4), ("k/tree-2/", 4), ("k/tree-3/", 2)]);
        let mut texts = Vec::new();
        let mut scores = Vec::new();
        for shard in &all {
            let run = opened(shard)["runs"][0].clone();
            assert_eq!(run["automationDetails"]["id"], shard.category.as_str());
            for result in run["results"].as_array().unwrap() {
                let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
                assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
                texts.push(result["message"]["text"].as_str().unwrap().to_owned());
                scores.push(result["ruleId"].as_str().unwrap().to_owned());
            }
        }
        assert!(scores.is_sorted_by(|a, b| a >= b), "the most severe first: {scores:?}");
        texts.sort();
        let mut expected: Vec<String> = (0..10).map(|n| format!("n{n}")).collect();
        expected.sort();
        assert_eq!(texts, expected);
    }

    #[test]
    fn files_stay_below_the_size_or_are_refused() {
        let log = json!({"runs": [run("k/", 64)]});
        let whole = shards(&log, Limits::default()).unwrap()[0].bytes;
        let limits = Limits { results: 25_000, bytes: whole - 1 };
        let all = shards(&log, limits).unwrap();
        assert!(all.len() > 1 && all.iter().all(|shard| shard.bytes <= limits.bytes));
        assert_eq!(all.iter().map(|shard| shard.results).sum::<usize>(), 64);
        let error = shards(&log, Limits { results: 1, bytes: 10 }).unwrap_err();
        assert!(matches!(error, UploadError::TooLarge { .. }), "{error}");
    }

    #[test]
    fn what_is_no_log_is_refused() {
        assert!(matches!(shards(&json!([]), Limits::default()), Err(UploadError::NoSarif)));
        let twice = json!({"runs": [run("k/a/", 1), run("k/a/", 1)]});
        assert!(matches!(shards(&twice, Limits::default()), Err(UploadError::SameCategory { .. })));
    }

    #[test]
    fn numbers_are_read_back() {
        assert_eq!(number_behind("k/tree/", &numbered("k/tree/", 12)), Some(12));
        assert_eq!(number_behind("k/tree/", "k/tree-3"), Some(3));
        for other in ["k/tree/", "k/tree-1/", "k/treetop-2/", "k/history-2/", "k/tree-x/"] {
            assert_eq!(number_behind("k/tree/", other), None, "{other}");
        }
    }
}
