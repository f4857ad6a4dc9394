//! The action, the workflows and the examples for other systems: what they name is there, and
//! they are what their systems understand.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Files a system reads, with the schema that check-jsonschema has for them.
const FILES: [(&str, &str); 4] = [
    ("action.yml", "vendor.github-actions"),
    (".github/workflows/ci.yml", "vendor.github-workflows"),
    (".github/workflows/release.yml", "vendor.github-workflows"),
    ("ci/gitlab/keycull.yml", "vendor.gitlab-ci"),
];

/// Sections of docs/ci.md whose example is a file of that system.
const EXAMPLES: [(&str, &str); 9] = [
    ("GitHub Actions", "vendor.github-workflows"),
    ("GitLab CI", "vendor.gitlab-ci"),
    ("Azure Pipelines", "vendor.azure-pipelines"),
    ("Bitbucket Pipelines", "vendor.bitbucket-pipelines"),
    ("Buildkite", "vendor.buildkite"),
    ("CircleCI", "vendor.circle-ci"),
    ("Drone", "vendor.drone-ci"),
    ("Travis CI", "vendor.travis"),
    ("Woodpecker", "vendor.woodpecker-ci"),
];

/// The first YAML block of a section of docs/ci.md.
fn example(section: &str) -> String {
    let text = read("docs/ci.md");
    let rest =
        text.split(&format!("\n## {section}\n")).nth(1).unwrap_or_else(|| panic!("no section {section}"));
    let block = rest.split("```yaml\n").nth(1).unwrap_or_else(|| panic!("no example in {section}"));
    block.split("```").next().expect("an end").to_owned()
}

#[test]
fn all_of_them_name_this_version() {
    let version = env!("CARGO_PKG_VERSION");
    assert!(read("action.yml").contains(&format!("    default: {version}\n")), "the action's version");
    assert!(read("ci/gitlab/keycull.yml").contains(&format!("KEYCULL_IMAGE: keycull:{version}\n")));
    assert!(example("GitHub Actions").contains(&format!("/keycull@v{version}\n")));
}

#[test]
fn release_and_action_agree_on_the_names_of_archives() {
    let (release, action) = (read(".github/workflows/release.yml"), read("action.yml"));
    let targets: Vec<&str> =
        action.split("target=").skip(1).filter_map(|rest| rest.split(' ').next()).collect();
    assert_eq!(targets.len(), 5, "{targets:?}");
    for target in targets {
        assert!(release.contains(&format!("target: {target} }}")), "{target} is not built");
    }
    assert!(action.contains("archive=keycull-$VERSION-$target.tar.gz"));
    assert!(release.contains("ARCHIVE=keycull-$version-$TARGET.tar.gz"));
    assert!(action.contains("--pattern SHA256SUMS") && release.contains(">SHA256SUMS"));
}

#[test]
fn values_of_events_reach_shells_by_the_environment_alone() {
    // `${{ … }}` inside a script is a way to run what the name of a branch says.
    for (file, _) in FILES {
        let text = read(file);
        let mut script: Option<usize> = None;
        for (number, line) in text.lines().enumerate() {
            let indent = line.len() - line.trim_start().len();
            if script.is_some_and(|outer| indent <= outer && !line.trim().is_empty()) {
                script = None;
            }
            let starts = line.trim_start().trim_start_matches("- ").starts_with("run:");
            assert!(!(script.is_some() || starts) || !line.contains("${{"), "{file}:{}: {line}", number + 1);
            if starts && line.trim_end().ends_with('|') {
                script = Some(indent);
            }
        }
    }
}

#[test]
fn the_page_has_every_system_the_program_knows() {
    let page = read("docs/ci.md");
    for system in keycull::ci::System::ALL {
        assert!(page.contains(&format!("\n| {}", system.as_str())), "{}", system.as_str());
    }
}

mod needs_tools {
    //! With the schemas that check-jsonschema brings.

    use std::process::Command;

    use super::*;

    fn tools() -> PathBuf {
        std::env::var_os("KEYCULL_TOOLS").map_or_else(|| root().join("target/tools"), PathBuf::from)
    }

    fn check(schema: &str, file: &Path) {
        let program = tools().join("venv/bin/check-jsonschema");
        assert!(program.is_file(), "{} is missing: run .ci/tools", program.display());
        let output = Command::new(program)
            .args(["--regex-variant", "nonunicode", "--builtin-schema", schema])
            .arg(file)
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{schema} {}: {said}", file.display());
    }

    #[test]
    #[ignore = "needs .ci/tools"]
    fn files_and_examples_are_what_their_systems_understand() {
        for (file, schema) in FILES {
            check(schema, &root().join(file));
        }
        let dir = tempfile::tempdir().expect("a directory");
        for (section, schema) in EXAMPLES {
            let file = dir.path().join(format!("{schema}.yml"));
            fs::write(&file, example(section)).expect("a file");
            check(schema, &file);
        }
    }

    #[test]
    #[ignore = "needs .ci/tools"]
    fn the_check_notices_mistakes() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("action.yml");
        fs::write(&file, read("action.yml").replace("using: composite", "using: magic")).expect("a file");
        let program = tools().join("venv/bin/check-jsonschema");
        let run =
            Command::new(program).args(["--builtin-schema", "vendor.github-actions"]).arg(&file).output();
        assert!(!run.expect("it runs").status.success());
    }
}
