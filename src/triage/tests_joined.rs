//! Halves of one credential: what is told once, and what stays as it is.

use jiff::civil::{Date, date};

use super::testing::{ACME, Book, KEY_ID, acme, hits};
use super::*;
use crate::chunk::{Chunk, Encoding};
use crate::config::{Baseline, BaselineEntry};
use crate::finding::*;

const TODAY: Date = date(2026, 6, 15);

/// A key id; `seed` from 0 on.
fn id(seed: u8) -> String {
    format!("keyid{}", char::from(b'a' + seed).to_string().repeat(30))
}

/// Candidates of `text` at `path` for these ids and secrets.
fn seen(path: &str, text: &str, ids: &[u8], secrets: &[u8]) -> Vec<Candidate> {
    let mut matches: Vec<Match> = Vec::new();
    ids.iter().for_each(|seed| matches.extend(hits(text.as_bytes(), KEY_ID, &id(*seed))));
    secrets.iter().for_each(|seed| matches.extend(hits(text.as_bytes(), ACME, &acme(*seed))));
    matches.sort_by_key(|hit| (hit.secret, hit.rule));
    let origin = Origin::File { path: path.into() };
    capture(&Chunk::whole(text.as_bytes(), &origin, Encoding::Plain), &matches, &Book::standard())
}

fn triage(candidates: Vec<Candidate>, options: &TriageOptions) -> Triaged {
    finish(candidates, &BaseSecrets::default(), None, &Book::standard(), options, &mut Coverage::default())
}

fn print(secret: &str) -> Fingerprint {
    Fingerprint::of(&Secret::new(secret), false, None)
}

/// Each finding as the places of its own and of its components: `acme-token 2 + acme-key-id 1`.
fn told(triaged: &Triaged) -> Vec<String> {
    let places = |half: &Finding| {
        let lines: Vec<String> =
            half.occurrences.iter().map(|place| place.region.start.line.to_string()).collect();
        format!("{} {}", half.rule.id, lines.join(","))
    };
    let one = |finding: &Finding| finding.halves().map(places).collect::<Vec<_>>().join(" + ");
    triaged.findings.iter().map(one).collect()
}

fn options() -> TriageOptions {
    TriageOptions::new(TODAY)
}

#[test]
fn halves_that_stand_together_are_one_finding() {
    let text = format!("{}\n{}\n", id(0), acme(0));
    let triaged = triage(seen("a", &text, &[0], &[0]), &options());
    assert_eq!(told(&triaged), ["acme-token 2 + acme-key-id 1"]);
    let whole = &triaged.findings[0];
    assert_eq!(whole.fingerprint, print(&acme(0)), "the secret half names the finding");
    assert_eq!(whole.components[0].fingerprint, print(&id(0)));
    assert!(whole.companions.is_empty() && whole.components[0].companions.is_empty());
    let halves = apart(triaged.findings);
    assert_eq!(halves.len(), 2);
    assert_eq!(halves[0].companions, [print(&id(0))]);
    assert_eq!(halves[1].companions, [print(&acme(0))]);
}

#[test]
fn an_id_alone_is_at_most_medium() {
    let sure = |text: &str, secrets: &[u8]| {
        let found = triage(seen("a", text, &[0], secrets), &options()).findings;
        let id = found[0].halves().find(|half| half.rule.id == "acme-key-id").unwrap();
        id.confidence
    };
    assert_eq!(sure(&format!("{}\n", id(0)), &[]), Confidence::Medium);
    assert_eq!(sure(&format!("{}\n{}\n", id(0), acme(0)), &[0]), Confidence::High);
}

#[test]
fn a_half_that_also_stands_alone_is_reported_there() {
    let text = format!("{}\n{}\n{}{}\n", id(0), acme(0), "\n".repeat(9), id(0));
    let triaged = triage(seen("a", &text, &[0], &[0]), &options());
    assert_eq!(told(&triaged), ["acme-token 2 + acme-key-id 1", "acme-key-id 12"]);
    assert_eq!(triaged.findings[1].companions, [print(&acme(0))]);
    let halves = apart(triaged.findings);
    assert_eq!(halves.len(), 2, "one finding for each key");
    assert_eq!(halves[1].occurrences.len(), 2);
}

#[test]
fn the_nearest_are_joined_and_none_is_lost() {
    let (i, s) = (|n| id(n) + "\n", |n| acme(n) + "\n");
    for (text, ids, secrets, expected) in [
        (
            i(0) + &s(0) + "\n" + &s(1),
            &[0][..],
            &[0, 1][..],
            vec!["acme-token 2 + acme-key-id 1", "acme-token 4"],
        ),
        (i(0) + "\n" + &i(1) + &s(0), &[0, 1], &[0], vec!["acme-key-id 1", "acme-token 4 + acme-key-id 3"]),
        (
            i(0) + &s(0) + "\n" + &i(1) + &s(1),
            &[0, 1],
            &[0, 1],
            vec!["acme-token 2 + acme-key-id 1", "acme-token 5 + acme-key-id 4"],
        ),
        (
            s(0) + &i(0) + "\n" + &s(1) + &i(1),
            &[0, 1],
            &[0, 1],
            vec!["acme-token 1 + acme-key-id 2", "acme-token 4 + acme-key-id 5"],
        ),
        (i(0) + "\n\n\n\n" + &s(0), &[0], &[0], vec!["acme-key-id 1", "acme-token 6"]),
    ] {
        let mut found = told(&triage(seen("a", &text, ids, secrets), &options()));
        let mut expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn halves_of_different_files_stay_two() {
    let mut all = seen("a", &format!("{}\n", id(0)), &[0], &[]);
    all.extend(seen("b", &format!("{}\n", acme(0)), &[], &[0]));
    assert_eq!(told(&triage(all, &options())), ["acme-key-id 1", "acme-token 1"]);
}

#[test]
fn what_counts_never_vanishes_behind_what_does_not() {
    let text = format!("{}\n{}\n", id(0), acme(0));
    let with = |known: &[String]| {
        let mut baseline = Baseline::default();
        known.iter().for_each(|secret| assert!(baseline.insert(BaselineEntry::new(print(secret)))));
        let options = TriageOptions { baseline, seek_idle: true, ..options() };
        let triaged = triage(seen("a", &text, &[0], &[0]), &options);
        assert!(inert(&options, &triaged.uses).is_empty(), "no entry is stale");
        let news = triaged.findings.iter().map(|finding| finding.disposition.is_new()).collect::<Vec<_>>();
        (told(&triaged), news)
    };
    let joined = vec!["acme-token 2 + acme-key-id 1".to_owned()];
    assert_eq!(with(&[]), (joined.clone(), vec![true]));
    // An old baseline has both halves; nothing of it turns new.
    assert_eq!(with(&[id(0), acme(0)]), (joined.clone(), vec![false]));
    assert_eq!(with(&[id(0)]), (joined, vec![true]));
    let two = vec!["acme-key-id 1".to_owned(), "acme-token 2".to_owned()];
    assert_eq!(with(&[acme(0)]), (two, vec![true, false]));
}

#[test]
fn an_allowed_secret_does_not_take_its_id_along() {
    let text = format!("{}\n\n\n{} # keycull:allow it is a test\n", id(0), acme(0));
    let triaged = triage(seen("a", &text, &[0], &[0]), &options());
    assert_eq!(told(&triaged), ["acme-key-id 1", "acme-token 4"]);
    assert!(triaged.findings[0].disposition.is_new() && !triaged.findings[1].disposition.is_new());
}

#[test]
fn a_half_below_the_threshold_is_told_with_the_other() {
    let text = format!("{}\n{}\n", id(0), acme(0));
    let mut all = seen("a", &text, &[0], &[0]);
    all[0].confidence = Confidence::Low;
    let triaged = triage(all, &options());
    assert_eq!(told(&triaged), ["acme-token 2 + acme-key-id 1"]);
    assert_eq!((triaged.below_threshold, triaged.findings[0].confidence), (0, Confidence::High));
    let mut all = seen("a", &text, &[0], &[0]);
    all[1].confidence = Confidence::Low;
    let triaged = triage(all, &options());
    assert_eq!((told(&triaged), triaged.below_threshold), (vec!["acme-key-id 1".to_owned()], 1));
}

#[test]
fn many_halves_take_linear_time_and_the_order_does_not_matter() {
    let text: String = (0..400).map(|at| if at % 2 == 0 { id(0) + " " } else { acme(0) + " " }).collect();
    let mut all = seen("a", &text, &[0], &[0]);
    let first = told(&triage(all.clone(), &options()));
    all.reverse();
    assert_eq!(told(&triage(all, &options())), first);
    assert_eq!(first.len(), 1, "each id has a secret of its own");
}
