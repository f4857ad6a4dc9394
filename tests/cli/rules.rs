//! `keycull rules`.

use std::fs;

use crate::support::secret::random;
use crate::support::tool::run;

const RULE: &str = r#"schema = 1

[[rule]]
id = "acme-key"
name = "Acme key"
description = "Opens the Acme API."
kind = "token"
severity = "high"
prefix = "acme_"
body = "[A-Za-z0-9]{32}"
examples = ['key = "acme_${alnum:32}"']
negatives = ['key = "acme_${alnum:12}"']
"#;

#[test]
fn list_has_one_line_for_each_rule() {
    let here = tempfile::tempdir().expect("a directory");
    let all = run(here.path(), &["rules", "list"]).expect(0);
    assert!(all.stdout.lines().count() >= 60, "{}", all.stdout);
    assert!(all.stdout.lines().any(|line| line.starts_with("github-pat ") && line.contains("critical")));
    let some = run(here.path(), &["rules", "list", "github-*"]).expect(0);
    assert!(some.stdout.lines().count() >= 4 && some.stdout.lines().all(|line| line.starts_with("github-")));
    run(here.path(), &["rules", "list", "nope-*"]).expect(2);
}

#[test]
fn show_tells_how_to_rotate() {
    let here = tempfile::tempdir().expect("a directory");
    let shown = run(here.path(), &["rules", "show", "github-pat"]).expect(0);
    for part in ["GitHub", "critical", "rotate", "https://"] {
        assert!(shown.stdout.contains(part), "{part} is missing: {}", shown.stdout);
    }
    let unknown = run(here.path(), &["rules", "show", "github-pta"]).expect(2);
    assert!(unknown.stderr.contains("did you mean `github-pat`?"), "{}", unknown.stderr);
}

#[test]
fn the_built_in_rules_pass_their_own_check() {
    let here = tempfile::tempdir().expect("a directory");
    let checked = run(here.path(), &["rules", "check"]).expect(0);
    assert!(checked.stdout.contains(" 0 failures"), "{}", checked.stdout);
}

#[test]
fn own_rules_are_checked_used_and_listed() {
    let here = tempfile::tempdir().expect("a directory");
    fs::write(here.path().join("mine.toml"), RULE).expect("a file");
    fs::write(here.path().join("a.txt"), format!("key = {}{}\n", "acme_", random(3, 32))).expect("a file");
    let checked = run(here.path(), &["rules", "check", "mine.toml"]).expect(0);
    assert!(checked.stdout.contains("1 rules, 2 examples, 0 failures"), "{}", checked.stdout);
    run(here.path(), &["scan", "a.txt", "--rules", "mine.toml"]).expect(1);
    run(here.path(), &["scan", "a.txt", "--rules", "mine.toml", "--rule", "acme-key"]).expect(1);
    let listed = run(here.path(), &["rules", "list", "--rules", "mine.toml", "acme-key"]).expect(0);
    assert!(listed.stdout.starts_with("acme-key"));
}

#[test]
fn check_lists_every_mistake_and_finds_examples_that_fail() {
    let here = tempfile::tempdir().expect("a directory");
    let broken = RULE.replace("kind = \"token\"", "kind = \"tokken\"");
    let twice = format!("{broken}{}", broken.replace("schema = 1", "").replace("acme-key", "acme-other"));
    fs::write(here.path().join("broken.toml"), twice).expect("a file");
    let run_broken = run(here.path(), &["rules", "check", "broken.toml"]).expect(1);
    assert_eq!(run_broken.stdout.lines().filter(|line| line.starts_with("broken.toml:")).count(), 2);

    fs::write(here.path().join("wrong.toml"), RULE.replace("alnum:32", "alnum:20")).expect("a file");
    let run_wrong = run(here.path(), &["rules", "check", "wrong.toml"]).expect(1);
    assert!(run_wrong.stdout.contains("1 failures"), "{}", run_wrong.stdout);

    fs::write(here.path().join("taken.toml"), RULE.replace("acme-key", "github-pat")).expect("a file");
    let taken = run(here.path(), &["rules", "check", "taken.toml"]).expect(2);
    assert!(taken.stderr.contains("two rules are called `github-pat`"), "{}", taken.stderr);
    run(here.path(), &["rules", "check", "no-such.toml"]).expect(2);
}

#[test]
fn the_rule_in_the_guide_works() {
    let here = tempfile::tempdir().expect("a directory");
    let guide = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/rules.md")).expect("the guide");
    let rule = guide.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a rule");
    fs::write(here.path().join("acme.toml"), rule).expect("a file");
    let checked = run(here.path(), &["rules", "check", "acme.toml"]).expect(0);
    assert!(checked.stdout.contains("1 rules, 4 examples, 0 failures"), "{}", checked.stdout);
}

#[test]
fn the_reference_is_the_one_in_the_documentation() {
    let here = tempfile::tempdir().expect("a directory");
    let printed = run(here.path(), &["rules", "reference"]).expect(0);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/rules-reference.md");
    let kept = fs::read_to_string(path).expect("docs/rules-reference.md");
    assert!(printed.stdout == kept, "run `keycull rules reference > docs/rules-reference.md`");
}

#[test]
fn coverage_counts_every_rule_and_knows_what_it_rests_on() {
    let here = tempfile::tempdir().expect("a directory");
    let printed = run(here.path(), &["rules", "coverage", "--each"]).expect(0);
    let number = |line: &str| line.split(' ').next().and_then(|n| n.parse::<usize>().ok());
    let kinds = printed.stdout.lines().next().and_then(number).expect("the number of kinds");
    let structured = printed.stdout.lines().nth(1).and_then(number).expect("those with a structure");
    assert!(kinds >= 400 && structured >= 250, "{kinds} {structured}");
    let listed = run(here.path(), &["rules", "list"]).expect(0).stdout.lines().count();
    assert_eq!(kinds, listed);
    let each =
        printed.stdout.lines().filter(|line| line.contains(" documentation ") || line.contains(" peer "));
    assert!(each.count() > kinds / 2);
    assert!(!printed.stdout.contains(" none "), "a rule without evidence");
}

/// [`RULE`] as an expression.
fn pattern_rule(pattern: &str) -> String {
    let shape = "prefix = \"acme_\"\nbody = \"[A-Za-z0-9]{32}\"\n";
    assert!(RULE.contains(shape));
    RULE.replace(shape, &format!("pattern = '{pattern}'\n"))
}

#[test]
fn patterns_without_keywords_are_searched_by_their_own_literals() {
    let here = tempfile::tempdir().expect("a directory");
    fs::write(here.path().join("a.txt"), format!("key = {}{}\n", "acme_", random(3, 32))).expect("a file");
    for (pattern, slow) in [("[a-z]cme_[A-Za-z0-9]{32}", false), ("[a-z]{4}_[A-Za-z0-9]{32}", true)] {
        fs::write(here.path().join("mine.toml"), pattern_rule(pattern)).expect("a file");
        let checked = run(here.path(), &["rules", "check", "mine.toml"]).expect(0);
        assert_eq!(checked.stdout.contains("rule `acme-key`: slow"), slow, "{}", checked.stdout);
        let scanned =
            run(here.path(), &["scan", "a.txt", "--rules", "mine.toml", "--rule", "acme-key"]).expect(1);
        assert!(scanned.stdout.contains("acme-key"), "{}", scanned.stdout);
    }
}

#[test]
fn configurations_of_gitleaks_are_checked_too() {
    let here = tempfile::tempdir().expect("a directory");
    let config = "[[rules]]\nid = 'a'\nregex = 'x'\n[[rules]]\nid = 'b'\nregex = 'y'\nkeywords = ['y']\nfilter = 'z'\n";
    fs::write(here.path().join(".gitleaks.toml"), config).expect("a file");
    let checked = run(here.path(), &["rules", "check", ".gitleaks.toml"]).expect(0);
    assert!(
        checked.stdout.contains("rule `a`: slow") && !checked.stdout.contains("rule `b`"),
        "{}",
        checked.stdout
    );
    assert!(
        checked.stdout.contains("2 rules as gitleaks runs them, over whole contents"),
        "{}",
        checked.stdout
    );
    assert!(checked.stderr.contains(".gitleaks.toml:8: unknown key `rules.filter`"), "{}", checked.stderr);
    fs::write(here.path().join(".gitleaks.toml"), "[[rules]]\nid = 'a'\nregex = '('\n").expect("a file");
    let wrong = run(here.path(), &["rules", "check", ".gitleaks.toml"]).expect(2);
    assert!(wrong.stderr.contains(".gitleaks.toml:1: rule `a`"), "{}", wrong.stderr);
    // Beside rules of keycull's own form, which are checked as ever.
    fs::write(here.path().join(".gitleaks.toml"), config).expect("a file");
    fs::write(here.path().join("mine.toml"), RULE).expect("a file");
    let both = run(here.path(), &["rules", "check", ".gitleaks.toml", "mine.toml"]).expect(0);
    assert!(
        both.stdout.contains("2 rules as gitleaks") && both.stdout.contains("1 rules, "),
        "{}",
        both.stdout
    );
}

#[test]
fn cost_counts_what_each_rule_did() {
    let here = tempfile::tempdir().expect("a directory");
    fs::write(here.path().join("mine.toml"), RULE).expect("a file");
    let text =
        format!("a = {}{}\nb = {}{}\nc = acme_short\n", "acme_", random(3, 32), "acme_", random(4, 32));
    fs::write(here.path().join("a.txt"), text).expect("a file");
    let counted = run(here.path(), &["rules", "cost", "a.txt", "--rules", "mine.toml", "--json"]).expect(0);
    let document = super::json(&counted);
    let rules = document["rules"].as_array().expect("rules");
    let acme = rules.iter().find(|rule| rule["id"] == "acme-key").expect("the rule");
    assert_eq!((&document["files"], &acme["matches"]), (&1.into(), &2.into()), "{}", counted.stdout);
    assert!(acme["verifications"].as_u64() >= Some(2), "{}", counted.stdout);
    let table = run(here.path(), &["rules", "cost", ".", "--rules", "mine.toml"]).expect(0);
    assert!(table.stdout.starts_with("rule ") && table.stdout.contains("acme-key"), "{}", table.stdout);
    run(here.path(), &["rules", "cost", "nowhere"]).expect(2);
}

#[test]
fn examples_of_chosen_rules_are_run() {
    let here = tempfile::tempdir().expect("a directory");
    let all = run(here.path(), &["rules", "test"]).expect(0);
    assert!(all.stdout.ends_with(" 0 failures\n"), "{}", all.stdout);
    let some = run(here.path(), &["rules", "test", "github-*"]).expect(0);
    assert!(some.stdout.lines().filter(|line| line.starts_with("ok ")).count() >= 4, "{}", some.stdout);
    fs::write(here.path().join("mine.toml"), RULE).expect("a file");
    let own = run(here.path(), &["rules", "test", "mine.toml"]).expect(0);
    assert!(own.stdout.contains("ok      acme-key: 1 to be found, 1 not"), "{}", own.stdout);
    assert!(own.stdout.contains("1 rules, 2 examples, 0 failures"), "{}", own.stdout);
    fs::write(here.path().join("wrong.toml"), RULE.replace("alnum:32", "alnum:20")).expect("a file");
    let wrong = run(here.path(), &["rules", "test", "wrong.toml", "github-pat"]).expect(1);
    assert!(wrong.stdout.contains("FAILED  acme-key") && wrong.stdout.contains("ok      github-pat"));
    run(here.path(), &["rules", "test", "no-such-rule"]).expect(2);
    run(here.path(), &["rules", "test", "no-such.toml"]).expect(2);
}

#[test]
fn a_rule_is_tried_against_a_text() {
    let here = tempfile::tempdir().expect("a directory");
    fs::write(here.path().join("mine.toml"), RULE).expect("a file");
    let (good, allowed) = (random(3, 32), random(4, 32));
    let text = format!(
        "a = {0}{good}\nb = {0}tooshorttooshort12\nc = {0}{allowed} # keycull:allow -- known\n",
        "acme_"
    );
    fs::write(here.path().join("a.txt"), text).expect("a file");
    let tried = ["rules", "test", "--rules", "mine.toml", "--rule", "acme-key", "a.txt"];
    let told = run(here.path(), &tried).expect(0).stdout;
    for part in
        ["a.txt:1:5  match", "a.txt:3:5  no", "allowed", "2 places, 1 a scan reports", "1 more places"]
    {
        assert!(told.contains(part), "{part}\n{told}");
    }
    assert!(!told.contains(&good) && !told.contains(&allowed), "{told}");
    fs::write(here.path().join("b.txt"), "nothing\n").expect("a file");
    let none = run(here.path(), &["rules", "test", "--rule", "github-pat", "b.txt"]).expect(1).stdout;
    assert!(none.contains("nothing triggers it here"), "{none}");
    run(here.path(), &["rules", "test", "--rule", "github-pat"]).expect(2);
    run(here.path(), &["rules", "test", "--rule", "nope", "b.txt"]).expect(2);
}
