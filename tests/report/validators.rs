//! Reports before other people's validators, installed by `.ci/tools`.
//!
//! Directory: `$KEYCULL_TOOLS`, with `node_modules` (sarif-multitool) and `venv`
//! (check-jsonschema). A tool that is not there fails the test.

use std::path::{Path, PathBuf};
use std::process::Command;

use keycull::finding::ScanReport;
use keycull::report::{Format, ReportOptions, RepositoryInfo, write_file};
use serde_json::Value;

use super::sample::{clean_report, sample_report};

fn tool(path: &str) -> PathBuf {
    let tools =
        std::env::var_os("KEYCULL_TOOLS").expect("KEYCULL_TOOLS names the directory .ci/tools filled");
    let tool = Path::new(&tools).join(path);
    assert!(tool.exists(), "{} is missing: run .ci/tools", tool.display());
    tool
}

fn options() -> ReportOptions {
    let repository = RepositoryInfo {
        uri: Some("https://github.com/o/r".to_owned()),
        revision: Some("ab".repeat(20)),
        branch: Some("main".to_owned()),
    };
    ReportOptions { suppressed: true, repository: Some(repository), ..ReportOptions::default() }
}

fn saved(dir: &Path, name: &str, report: &ScanReport, format: Format) -> PathBuf {
    let path = dir.join(name);
    write_file(&path, report, format, &options()).expect("the report is written");
    path
}

fn run(command: &mut Command) -> String {
    let output = command.output().expect("the tool starts");
    let said =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success(), "{command:?}:\n{said}");
    said
}

#[test]
#[ignore = "needs .ci/tools"]
fn sarif_passes_the_multitool_with_githubs_rules() {
    let dir = tempfile::tempdir().unwrap();
    for (name, report) in [("sample", sample_report()), ("clean", clean_report())] {
        let log = saved(dir.path(), &format!("{name}.sarif"), &report, Format::Sarif);
        let verdict = dir.path().join(format!("{name}.verdict"));
        let said = run(Command::new(tool("node_modules/.bin/sarif-multitool"))
            .arg("validate")
            // The package's wrapper hands its arguments to a shell.
            .args([
                "--rule-kind",
                "\"Sarif;Ghas\"",
                "--level",
                "\"Error;Warning\"",
                "--log",
                "ForceOverwrite",
            ])
            .arg("--output")
            .arg(&verdict)
            .arg(&log));
        let verdict: Value = serde_json::from_slice(&std::fs::read(&verdict).unwrap()).unwrap();
        assert_eq!(verdict["runs"][0]["invocations"][0]["executionSuccessful"], true, "{said}");
        let mut found = verdict["runs"][0]["results"].as_array().cloned().expect("a list of results");
        // As long as Cargo.toml names no repository there is no address to give.
        let addressless = env!("CARGO_PKG_REPOSITORY").is_empty();
        found.retain(|result| !(addressless && result["ruleId"] == "SARIF2005"));
        assert!(found.is_empty(), "{found:#?}");
    }
}

#[test]
#[ignore = "needs .ci/tools"]
fn json_passes_its_schema() {
    let dir = tempfile::tempdir().unwrap();
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/report.schema.json");
    let check = tool("venv/bin/check-jsonschema");
    run(Command::new(&check).args(["--check-metaschema", schema]));
    for (name, report) in [("sample.json", sample_report()), ("clean.json", clean_report())] {
        let document = saved(dir.path(), name, &report, Format::Json);
        run(Command::new(&check).args(["--schemafile", schema]).arg(&document));
    }
}
