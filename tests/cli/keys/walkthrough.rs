//! The walk-through of `docs/revocation.md`, run: what stands there is what the program says, but for names that
//! differ from run to run.

use std::fs;
use std::path::Path;

use keycull::mock::Kind;
use regex::Regex;

use super::Incident;
use crate::support::witness;

/// A command of a page and what it says there.
#[derive(Debug)]
struct Said {
    command: String,
    output: String,
}

/// The commands in the `console` blocks of the section called `title`.
fn commands(page: &str, title: &str) -> Vec<Said> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).expect("the page");
    let section = text.split("\n## ").find(|section| section.starts_with(title)).expect("the section");
    let mut all: Vec<Said> = Vec::new();
    for block in section.split("```console\n").skip(1) {
        for line in block.split("```").next().expect("a block").lines() {
            match (line.strip_prefix("$ "), all.last_mut()) {
                (Some(command), _) => {
                    all.push(Said { command: command.to_owned(), output: String::new() });
                }
                (None, Some(said)) => said.output.push_str(&format!("{line}\n")),
                (None, None) => panic!("{page}: a block starts with a command"),
            }
        }
    }
    all
}

/// `text` with a fixed word for everything that is made up anew in every run.
fn same_for_all(text: &str) -> String {
    let rules = [
        ("…[0-9A-Za-z]{4}", "…LAST"),
        ("[0-9a-f]{64}", "HASH"),
        (r"\(commit [0-9a-f]{12}\)", "(commit ID)"),
        (r"(?m)^(revoke|planned|revoked)( +)[0-9a-f]{8} ", "$1$2ID "),
        (r"/\S*/\.local/state/", "STATE/"),
        (r"[0-9]+\.[0-9] s ", "TIME s "),
    ];
    rules.iter().fold(text.to_owned(), |text, (pattern, word)| {
        Regex::new(pattern).expect("a pattern").replace_all(&text, *word).into_owned()
    })
}

#[test]
fn the_walk_through_says_what_the_program_says() {
    let incident = Incident::new(Kind::Github, 0);
    let key = incident.mock.issue(Kind::Github, 40);
    let other = incident.mock.issue(Kind::Github, 41);
    witness::made_by(&incident.mock);
    incident.repo.write("config/deploy.env", format!("GITHUB_TOKEN={}\n", key.secret)).commit("Deploy");
    let told = commands("docs/revocation.md", "A key leaked: what now");
    assert!(told.len() >= 9, "{told:#?}");
    let mut code = 0;
    for Said { command, output } in &told {
        let words: Vec<&str> = command.split(' ').collect();
        match words[0] {
            "echo" => assert_eq!(output.trim(), code.to_string(), "{command}"),
            "git" => {
                incident.repo.write("config/deploy.env", "GITHUB_TOKEN=from the vault\n");
                incident.repo.commit("Read the token from the vault");
            }
            "keycull" => {
                let run = incident.run(&words[1..]);
                assert_eq!(same_for_all(&run.stdout), same_for_all(output), "{command}\n{}", run.stderr);
                code = run.code;
            }
            other => panic!("`{other}` is no command of the walk-through"),
        }
    }
    assert!(!incident.mock.is_live(&key.secret) && incident.mock.is_live(&other.secret));
    // The page lists what the provider saw, too.
    let seen: Vec<String> = incident
        .mock
        .requests()
        .iter()
        .map(|request| format!("{} {}", request.method, request.target))
        .collect();
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/revocation.md"));
    assert!(page.expect("the page").contains(&format!("\n{}\n", seen.join("\n"))), "{seen:#?}");
    // The README shows some of the same lines.
    let known: String = told.iter().map(|said| said.output.as_str()).collect();
    let short = commands("README.md", "A key leaked: what now");
    assert!(short.len() >= 2);
    for line in short.iter().flat_map(|said| said.output.lines()) {
        assert!(
            known.contains(&format!("{line}\n")),
            "the README says what docs/revocation.md does not: {line}"
        );
    }
}
