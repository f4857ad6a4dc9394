//! Why something is, or is not, reported.

use crate::support::git::GitRepo;
use crate::support::secret::stripe_key;
use crate::support::tool::run;

use super::json;

#[test]
fn every_verdict_is_explained() {
    let repo = GitRepo::new();
    repo.write("a.env", format!("x\nKEY={}\n", stripe_key(1)));
    repo.write("b.env", format!("KEY={} # keycull:allow until=2099-01-31 -- made up\n", stripe_key(2)));
    repo.write("c.env", format!("KEY={}\n", stripe_key(3)));
    repo.write("keycull.toml", "[[allow]]\nreason = \"ours\"\npaths = [\"c.env\"]\n");
    repo.commit("all");
    let told = |what: &str| run(repo.path(), &["explain", what]).expect(0).stdout;
    let plain = told("a.env:2");
    for part in [
        "rule         stripe-secret-key",
        "begins with",
        "reported     yes",
        "a.env:2:5",
        "nothing suppresses it",
    ] {
        assert!(plain.contains(part), "{part}\n{plain}");
    }
    assert!(!plain.contains(&stripe_key(1)), "{plain}");
    let marked = told("b.env:1");
    assert!(marked.contains("keycull:allow") && marked.contains("until 2099-01-31: made up"), "{marked}");
    let table = told("c.env:1");
    assert!(table.contains("allowed by keycull.toml:1 [[allow]]: ours"), "{table}");
    let report =
        json(&run(repo.path(), &["scan", "--no-history", "--format", "json", "--no-allow"]).expect(1));
    let print = report["findings"][0]["fingerprint"].as_str().expect("a fingerprint").to_owned();
    assert!(told(&print).contains("a.env:2:5"));
    run(repo.path(), &["baseline", "create", "--reason", "old"]).expect(0);
    assert!(told(&print).contains("in the baseline: old"));
    run(repo.path(), &["explain", "a.env:1"]).expect(1);
    run(repo.path(), &["explain", "nonsense"]).expect(2);
    run(repo.path(), &["explain", "no-such-file:3"]).expect(2);
}
