//! What must hold for any input, one function for each fuzz target.
//!
//! The fuzz targets call them with whatever the fuzzer makes, `tests/replay` with seeds and
//! mutations of them on every run of the tests.

use std::io::Cursor;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use keycull::chunk::Chunk;
use keycull::config::{self, Baseline};
use keycull::engine::{Engine, Scratch};
use keycull::finding::{Coverage, ScanReport};
use keycull::import::gitleaks::{Config, is_gitleaks};
use keycull::import::ignores;
use keycull::pipeline::{ScanRequest, Scope, Silent, run};
use keycull::report::{Format, ReportOptions, write};
use keycull::rule::Trust;
use keycull::rule::compile::{assemble, parse_file};
use keycull::source::archive::{Limits, extract, is_container};
use keycull::source::{Sink, Windows, stdin};
use keycull::triage::TriageOptions;

/// Text that the rules of an assembled file are tried on.
const PROBE: &[u8] = b"name = \"value-0123456789abcdef\"\nkey: AAAAAAAAAAAAAAAAAAAA0\nhttps://a:b@c/d\n";

static BUILTIN: LazyLock<Engine> = LazyLock::new(Engine::builtin);

/// Files of rules: an error names file and line; what is accepted makes an engine that runs.
pub(super) fn rules(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    match parse_file("input.toml", text, Trust::User) {
        Ok(drafts) => {
            let Ok(set) = assemble(drafts, 0) else { return };
            let mut out = Vec::new();
            Engine::with_rules(set).scan(PROBE, &mut Scratch::default(), &mut out);
            for hit in out {
                assert!(hit.secret.end <= PROBE.len() && hit.secret.start <= hit.secret.end, "{hit:?}");
            }
        }
        Err(errors) => {
            assert!(!errors.is_empty(), "refused without a reason");
            let lines = text.lines().count().max(1);
            for error in errors {
                assert!(error.line <= lines + 1, "line {} of {lines}", error.line);
                assert!(error.to_string().contains("input.toml"), "{error}");
            }
        }
    }
}

/// `keycull.toml`: an error names the file.
pub(super) fn config(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    if let Err(error) = config::parse(text, Path::new("keycull.toml")) {
        assert!(error.to_string().contains("keycull.toml"), "{error}");
    }
}

/// Files of other tools; nothing beside the input is read.
pub(super) fn foreign(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    // NOTE: whether it is one and whether it is a right one are different questions.
    let _ = is_gitleaks(text);
    let nothing = |_: &Path| Err("nothing else is read".to_owned());
    if let Err(error) = Config::parse(text, Path::new(".gitleaks.toml"), &nothing) {
        assert!(!error.to_string().is_empty(), "refused without a reason");
    }
    let _ = ignores::gitleaks_ignore("input", text);
    let _ = ignores::gitleaks_report("input", text);
    let _ = ignores::detect_secrets("input", text);
    let _ = ignores::path_globs("input", text);
    let _ = ignores::paths_ignore(text);
}

/// Baselines: what is read and written again says the same.
pub(super) fn baseline(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let file = Path::new("keycull.baseline.toml");
    match Baseline::parse(text, file) {
        Ok(read) => {
            let written = read.to_text();
            let again = Baseline::parse(&written, file).expect("what was written can be read");
            assert_eq!(again.entries().len(), read.entries().len(), "{written}");
            let same = read.entries().iter().zip(again.entries()).all(|(one, other)| one.agrees(other));
            assert!(same, "{text:?} became {written:?}");
            assert_eq!(again.to_text(), written, "writing it twice changes it");
        }
        Err(error) => assert!(error.to_string().contains("keycull.baseline.toml"), "{error}"),
    }
}

/// Bytes that one container may unpack to here.
const UNPACKED: u64 = 4 << 20;

/// Containers: bounded, and every chunk owns a part of itself.
pub(super) fn container(input: &[u8]) {
    let limits = Limits {
        bytes: UNPACKED,
        ratio: 50,
        depth: 4,
        entries: 500,
        time: Duration::from_secs(5),
        total: UNPACKED,
        ..Limits::default()
    };
    let meter = Meter::default();
    let coverage = stdin::scan(&mut Cursor::new(input), None, Windows::default(), limits, &meter)
        .expect("memory is read");
    assert_eq!(coverage.bytes, input.len() as u64, "not all was read");
    let (shown, windows) = *meter.0.lock().expect("no panic");
    // Each byte may be seen as a member, as a name, and once more with the container's own bytes.
    let most = 4 * (UNPACKED + input.len() as u64) + windows * (3 << 20);
    assert!(shown <= most, "{shown} bytes came of {}", input.len());
    // NOTE: what is at the path is of no interest, only that looking for it ends.
    let _ = extract(input, &["a".into()]);
}

/// Counts bytes and chunks.
#[derive(Default)]
struct Meter(Mutex<(u64, u64)>);

impl Sink for Meter {
    fn chunk(&self, chunk: Chunk<'_>) -> bool {
        let own = chunk.window.own();
        assert!(own.start <= own.end && own.end <= chunk.bytes.len(), "{own:?} of {}", chunk.bytes.len());
        let mut seen = self.0.lock().expect("no panic");
        seen.0 += chunk.bytes.len() as u64;
        seen.1 += u64::from(!chunk.is_whole());
        false
    }

    fn base(&self, _chunk: Chunk<'_>) {}

    fn note(&self, _part: Coverage) {}

    fn cancelled(&self) -> bool {
        false
    }
}

/// Whole scans of content, and all formats of their reports: well-formed, within the content, and
/// without the secrets.
pub(super) fn report(input: &[u8]) {
    let report = scanned(input);
    let packed = is_container(input);
    let lines = if packed { u64::MAX } else { lines(input) };
    for format in Format::ALL {
        let mut text = Vec::new();
        write(&report, format, &ReportOptions::default(), &mut text).expect("memory takes everything");
        match format {
            Format::Json | Format::Sarif | Format::Gitlab | Format::Gitleaks => {
                let value = serde_json::from_slice(&text).expect("JSON");
                if format == Format::Sarif {
                    regions(&value, lines);
                }
            }
            Format::Jsonl => {
                for line in text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
                    serde_json::from_slice::<serde_json::Value>(line).expect("a line of JSON");
                }
            }
            Format::Text | Format::Junit | Format::Github => {
                let odd = |byte: &u8| byte.is_ascii_control() && !matches!(byte, b'\n' | b'\t');
                assert!(!text.iter().any(odd), "control characters in {format:?}");
            }
        }
        for finding in &report.findings {
            let secret = finding.secret.expose();
            assert!(
                !telling(secret) || memchr::memmem::find(&text, secret).is_none(),
                "a secret in {format:?}"
            );
        }
    }
}

/// Lines at most, whatever ends a line.
fn lines(text: &[u8]) -> u64 {
    text.iter().filter(|&&byte| byte == b'\n' || byte == b'\r').count() as u64 + 1
}

fn scanned(input: &[u8]) -> ScanReport {
    let scope = Scope::Stream {
        input: Mutex::new(Box::new(Cursor::new(input.to_vec()))),
        name: Some("input".into()),
        windows: Windows::default(),
        archives: Limits { bytes: UNPACKED, depth: 2, total: UNPACKED, ..Limits::default() },
    };
    let triage = TriageOptions::new(jiff::civil::date(2026, 6, 15));
    let request = ScanRequest { scopes: vec![scope], jobs: 1, ..ScanRequest::new(triage) };
    run(&request, &BUILTIN, &Silent, &AtomicBool::new(false)).expect("a stream can be scanned")
}

/// Long and varied enough not to stand in a report by chance.
fn telling(secret: &[u8]) -> bool {
    let mut distinct = secret.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    secret.len() >= 24 && distinct.len() >= 12
}

/// Every region lies in the content and does not end before it starts.
fn regions(value: &serde_json::Value, lines: u64) {
    match value {
        serde_json::Value::Object(fields) => {
            if let Some(first) = fields.get("startLine").and_then(serde_json::Value::as_u64) {
                let last = fields.get("endLine").and_then(serde_json::Value::as_u64).unwrap_or(first);
                assert!(first >= 1 && first <= last && last <= lines, "lines {first} to {last} of {lines}");
            }
            fields.values().for_each(|inner| regions(inner, lines));
        }
        serde_json::Value::Array(values) => values.iter().for_each(|inner| regions(inner, lines)),
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Number(_)
        | serde_json::Value::String(_) => {}
    }
}
