//! The walk of `docs/migration.md`, done as it is written there.

use super::*;

/// A fenced block of a document.
struct Block {
    language: String,
    text: String,
}

/// The section below `title`, to the next one of its kind.
fn section(title: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/migration.md");
    let text = fs::read_to_string(file).expect("a document");
    let below = text.split(title).nth(1).expect("the section");
    below.split("\n## ").next().expect("its text").to_owned()
}

/// The fenced blocks of `text`, without the blanks they are indented by.
fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<(Block, usize)> = None;
    for line in text.lines() {
        let blanks = line.len() - line.trim_start().len();
        match (&mut open, line.trim_start().strip_prefix("```")) {
            (None, Some(language)) => {
                open = Some((Block { language: language.to_owned(), text: String::new() }, blanks));
            }
            (Some(_), Some(_)) => blocks.extend(open.take().map(|(block, _)| block)),
            (Some((block, indent)), None) => {
                block.text.push_str(line.get(*indent..).unwrap_or_default());
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

/// The exit code a command of a document is said to have.
fn expected(line: &str) -> i32 {
    let comment = line.split_once(" # ").map_or("", |(_, comment)| comment);
    let digits: String = comment.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(0)
}

#[test]
fn the_walk_has_commands_and_a_configuration_of_this_version() {
    let blocks = blocks(&section("## Five minutes"));
    let commands = blocks.iter().filter(|block| block.language == "sh").flat_map(|block| block.text.lines());
    let commands: Vec<&str> = commands.collect();
    assert!(commands.len() > 10 && commands.iter().any(|line| expected(line) == 1), "{commands:?}");
    for word in ["keycull scan", "keycull migrate", "keycull baseline update", "pre-commit install"] {
        assert!(commands.iter().any(|line| line.starts_with(word)), "{word}");
    }
    let rev = format!("rev: v{}\n", env!("CARGO_PKG_VERSION"));
    assert!(blocks.iter().any(|block| block.language == "yaml" && block.text.contains(&rev)));
}

mod needs_tools {
    //! With the real framework and the real gitleaks.

    use super::super::framework::needs_tools::{published, tools};
    use super::*;

    /// The hook people have, with the gitleaks that `.ci/tools` installed.
    const BEFORE: &str = "repos:\n  - repo: local\n    hooks:\n      - id: gitleaks\n        name: gitleaks\n        \
        entry: gitleaks git --pre-commit --staged --no-banner --redact --baseline-path .gitleaks-baseline.json\n        \
        language: system\n        pass_filenames: false\n";

    fn shell(repo: &GitRepo, line: &str) -> Run {
        let path = format!("{}:{}", tools().join("venv/bin").display(), path_with_program());
        let mut shell = command(repo.path(), "sh");
        shell.args(["-c", line]).envs([("PATH", path.as_str()), ("USER", "dana")]);
        shell.env("PRE_COMMIT_HOME", repo.outside().join("cache")).output().expect("a shell").into()
    }

    /// A repository that uses gitleaks in every way: hook, configuration, ignore file, baseline, marker.
    fn newcomer() -> GitRepo {
        let repo = started();
        let config = "[extend]\nuseDefault = true\n\n[[allowlists]]\ndescription = \"samples\"\npaths = ['^samples/']\n";
        repo.write(".gitleaks.toml", config).write(".pre-commit-config.yaml", BEFORE);
        repo.write("samples/d.env", leak(4))
            .write("marked.env", leak(5).replace('\n', " # gitleaks:allow\n"));
        repo.write("a.env", leak(1))
            .write("b.env", format!("# two\n\n{}", leak(2)))
            .commit("leaks that are known");
        repo.git(&["rm", "--quiet", "a.env"]);
        let taken_away = repo.commit("take one away, and name another in the message: ");
        let message = format!("name one: {}", leak(3));
        repo.git(&["commit", "--quiet", "--amend", "--allow-empty", "--message", &message]);
        repo.git(&["cat-file", "-e", &taken_away]);
        let report = "gitleaks git . --no-banner --exit-code 0 --report-path .gitleaks-baseline.json";
        shell(&repo, report).expect(0);
        let known = fs::read_to_string(repo.path().join(".gitleaks-baseline.json")).expect("a report");
        assert!(known.contains("\"a.env\"") && known.contains("\"b.env\""), "gitleaks finds both");
        // One is in the baseline, one in the ignore file.
        let mut known: Vec<serde_json::Value> = serde_json::from_str(&known).expect("JSON");
        let ignored: Vec<String> = known
            .iter()
            .filter(|hit| hit["File"] == "b.env")
            .map(|hit| hit["Fingerprint"].as_str().expect("a text").to_owned())
            .collect();
        known.retain(|hit| hit["File"] != "b.env");
        repo.write(".gitleaksignore", format!("# settled\n{}\n", ignored.join("\n")));
        repo.write(".gitleaks-baseline.json", serde_json::to_string_pretty(&known).expect("JSON"));
        repo.commit("gitleaks is content");
        shell(&repo, "gitleaks git . --no-banner --baseline-path .gitleaks-baseline.json").expect(0);
        shell(&repo, "pre-commit install").expect(0);
        repo
    }

    #[test]
    #[ignore = "needs .ci/tools"]
    fn the_walk_leads_where_it_says() {
        let published = published("", &[".pre-commit-hooks.yaml"]);
        let version = format!("v{}", env!("CARGO_PKG_VERSION"));
        published.0.git(&["tag", &version]);
        let repo = newcomer();
        for block in blocks(&section("## Five minutes")) {
            match block.language.as_str() {
                "yaml" => {
                    let place = published.0.path().display().to_string();
                    let text = block.text.replace("<where you cloned keycull from>", &place);
                    assert_ne!(text, block.text, "the document names the repository in other words");
                    repo.write(".pre-commit-config.yaml", text);
                }
                "sh" => {
                    for line in block.text.lines() {
                        let run = shell(&repo, line);
                        let wanted = expected(line);
                        assert_eq!(run.code, wanted, "{line}\n{}\n{}", run.stdout, run.stderr);
                    }
                }
                other => panic!("nobody said what to do with {other}"),
            }
        }
        // Keycull looks now: what is known passes, what is new does not.
        let status = keycull(repo.path(), &["hook", "status"]).expect(0);
        assert_eq!(status.stdout.matches("pre-commit runs it").count(), 4, "{}", status.stdout);
        staged(&repo, "moved/b.env", format!("# moved\n{}", leak(2)));
        shell(&repo, "git commit -m 'move what is known'").expect(0);
        staged(&repo, "new.env", leak(9));
        stopped(&shell(&repo, "git commit -m 'leak'"), "new.env", &[9]);
        let baseline = fs::read_to_string(repo.path().join("keycull.baseline.toml")).expect("a baseline");
        assert!(
            baseline.contains("known before the move") && baseline.contains("who = \"dana\""),
            "{baseline}"
        );
        assert!(baseline.contains("carried over from .gitleaksignore"), "{baseline}");
    }
}
