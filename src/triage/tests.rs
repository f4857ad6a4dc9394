//! Triage as a whole: content and hand-made matches in, findings out.

use std::collections::HashMap;

use jiff::civil::{Date, date};

use super::testing::{ACME, ACME_ID, BLOCK, Book, OTHER, PASSWORD, PUBLIC, URI, acme, hits};
use super::*;
use crate::chunk::{Chunk, Encoding};
use crate::finding::*;

const TODAY: Date = date(2026, 6, 15);

fn file(path: &str) -> Origin {
    Origin::File { path: path.into() }
}

/// Candidates of `text` at `origin` for every place of the needles.
fn seen(origin: &Origin, text: &str, needles: &[(u16, &str)]) -> Vec<Candidate> {
    let mut matches: Vec<Match> =
        needles.iter().flat_map(|(rule, needle)| hits(text.as_bytes(), *rule, needle)).collect();
    matches.sort_by_key(|hit| (hit.secret, hit.rule));
    capture(&Chunk::whole(text.as_bytes(), origin, Encoding::Plain), &matches, &Book::standard())
}

fn options() -> TriageOptions {
    TriageOptions::new(TODAY)
}

fn triage(candidates: Vec<Candidate>, options: &TriageOptions) -> Triaged {
    finish(candidates, &BaseSecrets::default(), None, &Book::standard(), options, &mut Coverage::default())
}

fn rules(triaged: &Triaged) -> Vec<&str> {
    triaged.findings.iter().map(|finding| finding.rule.id.as_str()).collect()
}

fn codes(notes: &[Note]) -> Vec<&str> {
    notes.iter().map(|note| note.code).collect()
}

#[test]
fn equal_secrets_become_one_finding_with_all_places() {
    let token = acme(0);
    let mut all = seen(&file("b.env"), &format!("x\nK={token}\nL={token}"), &[(ACME, &token)]);
    all.extend(seen(&file("a.env"), &format!("K={token}"), &[(ACME, &token)]));
    let triaged = triage(all, &options());
    assert_eq!(rules(&triaged), ["acme-token"]);
    let finding = &triaged.findings[0];
    let places: Vec<_> = finding
        .occurrences
        .iter()
        .map(|place| (place.path.clone().unwrap().to_string(), place.region.start.line))
        .collect();
    assert_eq!(places, [("a.env".to_owned(), 1), ("b.env".to_owned(), 2), ("b.env".to_owned(), 3)]);
    assert_eq!(finding.redacted, "acme_…aaaa");
    assert_eq!(finding.occurrences[0].excerpt, "K=acme_…aaaa");
    assert!(finding.fingerprint.matches(&Secret::new(token), None));
}

#[test]
fn exact_duplicates_are_one_place() {
    let token = acme(0);
    let mut all = seen(&file("a"), &token, &[(ACME, &token)]);
    all.extend(all.clone());
    assert_eq!(triage(all, &options()).findings[0].occurrences.len(), 1);
}

#[test]
fn line_hashes_are_github_s_or_none() {
    let token = acme(0);
    let hash = |text: &str| seen(&file("a"), text, &[(ACME, &token)]).remove(0).line_hash;
    let text = format!("x\nK={token}\nrest\n");
    assert_eq!(hash(&text), Some(line_hashes(text.as_bytes(), &[2]).remove(0)));
    assert!(hash(&text).is_some_and(|hash| hash.ends_with(":1")));
    assert_eq!(hash(&format!("x\rK={token}\n")), None, "GitHub counts another line here");
    let origin = Origin::Member { outer: Box::new(file("a.zip")), path: "b".into() };
    assert_eq!(seen(&origin, &text, &[(ACME, &token)])[0].line_hash, None);
}

#[test]
fn passwords_show_nothing_and_are_hashed_slowly() {
    let triaged = triage(seen(&file("a"), "p = hunter2hunter2", &[(PASSWORD, "hunter2hunter2")]), &options());
    let finding = &triaged.findings[0];
    assert_eq!(finding.redacted, "[redacted]");
    assert!(finding.fingerprint.as_str().starts_with("p1:"));
}

#[test]
fn the_more_specific_rule_keeps_the_place() {
    let token = acme(0);
    let text = format!("K={token}");
    let triaged =
        triage(seen(&file("a"), &text, &[(PASSWORD, &token), (ACME, &token), (OTHER, &token)]), &options());
    assert_eq!(rules(&triaged), ["acme-token"]);
    let notes = &triaged.findings[0].occurrences[0].notes;
    assert_eq!(codes(notes), ["also-matched"], "only rules that know an owner are worth a remark");
    assert!(notes[0].text.contains("other-key"));
}

#[test]
fn a_token_inside_a_longer_generic_value_wins_and_a_block_beats_both() {
    let token = acme(0);
    let value = format!("prefix.{token}.suffix");
    let text = format!("K={value}");
    let found = triage(seen(&file("a"), &text, &[(PASSWORD, &value), (ACME, &token)]), &options());
    assert_eq!(rules(&found), ["acme-token"]);
    let found = triage(seen(&file("a"), &text, &[(BLOCK, &value), (ACME, &token)]), &options());
    assert_eq!(rules(&found), ["generic-key-block"]);
}

#[test]
fn a_generic_match_survives_where_nothing_overlaps_it() {
    let token = acme(0);
    let text = format!("K={token}\nP=correct-horse");
    let found = triage(seen(&file("a"), &text, &[(ACME, &token), (PASSWORD, "correct-horse")]), &options());
    assert_eq!(rules(&found), ["acme-token", "generic-password"]);
}

#[test]
fn a_secret_known_from_elsewhere_is_one_finding() {
    let value = "0123456789abcdef0123";
    let mut all = seen(&file("a"), &format!("OTHER_KEY={value}"), &[(OTHER, value)]);
    all.extend(seen(&file("b"), &format!("key: {value}"), &[(PASSWORD, value)]));
    let triaged = triage(all, &options());
    assert_eq!(rules(&triaged), ["other-key"]);
    let places = &triaged.findings[0].occurrences;
    assert_eq!(places.len(), 2);
    assert_eq!(codes(&places[1].notes), ["known-from-elsewhere"]);
}

#[test]
fn a_value_under_the_names_of_several_providers_is_nobodys() {
    let value = "0123456789abcdef0123";
    let mut all = seen(&file("a"), &format!("OTHER_KEY={value}"), &[(OTHER, value)]);
    all.extend(seen(&file("b"), &format!("ACME_KEY={value}"), &[(ACME, value)]));
    all.extend(seen(&file("c"), &format!("key: {value}"), &[(PASSWORD, value)]));
    assert_eq!(rules(&triage(all.clone(), &options())), ["other-key", "acme-token", "generic-password"]);
    all.retain(|candidate| candidate.rule != ACME);
    all[0].confidence = Confidence::Low;
    let low = TriageOptions { min_confidence: Confidence::Low, ..options() };
    assert_eq!(rules(&triage(all, &low)), ["other-key", "generic-password"]);
}

#[test]
fn equal_passwords_are_not_the_same_password() {
    let chosen = ["correct", "-horse"].concat();
    let mut all = seen(&file("a"), &format!("x://u:{chosen}@h"), &[(URI, &chosen)]);
    all.extend(seen(&file("b"), &format!("key: {chosen}"), &[(PASSWORD, &chosen)]));
    assert_eq!(rules(&triage(all, &options())), ["acme-uri", "generic-password"]);
}

#[test]
fn several_secrets_in_one_encoded_run_are_all_kept() {
    let text = b"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=";
    let decoded = |rule, secret: &str| {
        let run = Span::new(0, text.len());
        Match {
            rule,
            trigger: 0,
            span: run,
            secret: run,
            confidence: Confidence::High,
            checksum: Checksum::Absent,
            decoded: Some(Box::new(Decoded {
                chain: vec!["base64"],
                secret: Secret::new(secret),
                excerpt: secret.as_bytes().to_vec(),
                excerpt_secret: Span::new(0, secret.len()),
            })),
            traits: 0,
        }
    };
    let origin = file("a");
    let (one, two) = (acme(0), acme(1));
    let inside = format!("x{one}x");
    let mut matches = vec![decoded(ACME, &one), decoded(ACME, &two), decoded(PASSWORD, &inside)];
    matches.extend(hits(text, PASSWORD, "QUJDREVGR0hJSktM"));
    let all = capture(&Chunk::whole(text, &origin, Encoding::Plain), &matches, &Book::standard());
    let triaged = triage(all, &options());
    assert_eq!(rules(&triaged), ["acme-token", "acme-token"]);
    assert_eq!(triaged.findings[0].occurrences[0].decoded, ["base64"]);
}

#[test]
fn markers_allow_their_rules_until_their_day() {
    let token = acme(0);
    let cases = [
        ("K={} # keycull:allow", Some("keycull:allow"), None, &[][..]),
        ("K={} # keycull:allow[acme-token] -- drill", Some("keycull:allow"), Some("drill"), &[]),
        ("K={} # keycull:allow[other-key]", None, None, &["allow-other-rule"]),
        ("K={} # keycull:allow until=2026-06-15 today", Some("keycull:allow"), Some("today"), &[]),
        ("K={} # keycull:allow until=2026-06-14", None, None, &["allow-expired"]),
        ("K={} # keycull:allow until=never", None, None, &["allow-malformed"]),
        ("# keycull:allow above\nK={}", Some("keycull:allow"), Some("above"), &[]),
        ("# keycull:allow[other-key]\n# keycull:allow[acme-token]\nK={}", Some("keycull:allow"), None, &[]),
        ("# keycull:allow\n\nK={}", None, None, &[]),
        ("x = 1 # keycull:allow\nK={}", None, None, &[]),
        ("K={} # gitleaks:allow", Some("gitleaks:allow"), None, &[]),
        ("K={} # betterleaks:allow", Some("betterleaks:allow"), None, &[]),
        ("K={} # pragma: allowlist secret", Some("pragma: allowlist secret"), None, &[]),
        ("# pragma: allowlist nextline secret\nK={}", Some("pragma: allowlist nextline secret"), None, &[]),
        ("# pragma: allowlist secret\nK={}", None, None, &[]),
        ("# gitleaks:allow\nK={}", None, None, &[]),
    ];
    for (line, marker, reason, notes) in cases {
        let text = line.replace("{}", &token);
        let triaged = triage(seen(&file("a"), &text, &[(ACME, &token)]), &options());
        let place = &triaged.findings[0].occurrences[0];
        match (&place.disposition, marker) {
            (Disposition::Allowed { by: AllowSource::Inline { marker }, reason: why, .. }, Some(wanted)) => {
                assert_eq!((marker.as_str(), why.as_deref()), (wanted, reason), "{line}");
            }
            (Disposition::New, None) => {}
            (got, _) => panic!("{line}: {got:?}"),
        }
        assert_eq!(codes(&place.notes), notes, "{line}");
        let loud = TriageOptions { honour_allows: false, ..options() };
        let triaged = triage(seen(&file("a"), &text, &[(ACME, &token)]), &loud);
        assert!(triaged.findings[0].disposition.is_new(), "{line}");
    }
}

#[test]
fn a_reason_never_carries_the_secret() {
    let token = acme(0);
    let text = format!("/* keycull:allow -- old was {token} */ K={token}");
    let first = seen(&file("a"), &text, &[(ACME, &token)]);
    assert_eq!(first[0].allows[0].reason.as_deref(), Some("old was acme_…aaaa"));
}

#[test]
fn a_finding_is_allowed_only_when_all_its_places_are() {
    let token = acme(0);
    let text = format!("K={token} # keycull:allow\nL={token}");
    let triaged = triage(seen(&file("a"), &text, &[(ACME, &token)]), &options());
    let finding = &triaged.findings[0];
    assert!(finding.disposition.is_new());
    assert_eq!(finding.primary().region.start.line, 2);
}

#[test]
fn configuration_entries_need_all_their_conditions() {
    let token = acme(0);
    let globs = |pattern: &str| {
        let mut set = globset::GlobSetBuilder::new();
        set.add(globset::Glob::new(pattern).unwrap());
        Some(set.build().unwrap())
    };
    let print = Fingerprint::of(&Secret::new(token.as_bytes()), false, None);
    let other = Fingerprint::of(&Secret::new("x"), false, None);
    let entry = AllowRule { entry: "keycull.toml [[allow]] #1".to_owned(), ..AllowRule::default() };
    let ids = |id: &str| vec![id.to_owned()];
    let cases = [
        (AllowRule { paths: globs("conf/**"), ..entry.clone() }, true),
        (AllowRule { paths: globs("src/**"), ..entry.clone() }, false),
        (AllowRule { rules: ids("acme-token"), paths: globs("conf/**"), ..entry.clone() }, true),
        (AllowRule { rules: ids("other-key"), paths: globs("conf/**"), ..entry.clone() }, false),
        (AllowRule { stopwords: ids("AAAAA"), ..entry.clone() }, true),
        (AllowRule { stopwords: ids("zz"), ..entry.clone() }, false),
        (AllowRule { fingerprints: vec![other, print], ..entry.clone() }, true),
        (AllowRule { fingerprints: vec![], ..entry.clone() }, false),
        (AllowRule { rules: ids("acme-token"), until: Some(TODAY), ..entry.clone() }, true),
        (AllowRule { rules: ids("acme-token"), until: Some(date(2026, 6, 14)), ..entry }, false),
    ];
    for (allow, allowed) in cases {
        let asked = TriageOptions { allow: vec![allow.clone()], ..options() };
        let triaged = triage(seen(&file("conf/a"), &token, &[(ACME, &token)]), &asked);
        assert_eq!(!triaged.findings[0].disposition.is_new(), allowed, "{allow:?}");
        assert_eq!(triaged.uses.allow, [u64::from(allowed)], "{allow:?}");
    }
}

#[test]
fn published_samples_are_allowed_as_such() {
    let sample = ["sk_test_", "4eC39HqLyjW", "DarjtT1zdp7dc"].concat();
    let triaged = triage(seen(&file("a"), &sample, &[(OTHER, &sample)]), &options());
    assert!(matches!(
        &triaged.findings[0].disposition,
        Disposition::Allowed { by: AllowSource::KnownSample, reason: Some(_), .. }
    ));
}

#[test]
fn paths_lower_confidence_but_not_below_the_other_places() {
    let token = acme(0);
    let text = format!("K={token}");
    let in_tests = seen(&file("tests/a"), &text, &[(ACME, &token)]);
    let triaged = triage(in_tests.clone(), &options());
    assert_eq!(triaged.findings[0].confidence, Confidence::Medium);
    assert_eq!(codes(&triaged.findings[0].occurrences[0].notes), ["test-path"]);

    let mut both = in_tests.clone();
    both.extend(seen(&file("src/a"), &text, &[(ACME, &token)]));
    assert_eq!(triage(both, &options()).findings[0].confidence, Confidence::High);

    let mut proven = in_tests;
    proven[0].checksum = Checksum::Passed;
    assert_eq!(triage(proven, &options()).findings[0].confidence, Confidence::High);
}

#[test]
fn what_falls_below_the_thresholds_is_counted() {
    let token = acme(0);
    let mut all = seen(&file("a"), &token, &[(ACME, &token)]);
    all[0].checksum = Checksum::Failed;
    let triaged = triage(all.clone(), &options());
    assert_eq!((triaged.findings.len(), triaged.below_threshold), (0, 1));
    let low = TriageOptions { min_confidence: Confidence::Low, ..options() };
    let triaged = triage(all, &low);
    assert_eq!(codes(&triaged.findings[0].notes), ["checksum-failed"]);
    assert_eq!(triaged.findings[0].confidence, Confidence::Low);

    let mut medium = seen(&file("tests/a"), "P=correct-horse", &[(PASSWORD, "correct-horse")]);
    medium[0].confidence = Confidence::Medium;
    let triaged = triage(medium, &options());
    assert_eq!((triaged.findings.len(), triaged.below_threshold), (0, 1), "lowered by its path");

    let severe = TriageOptions { min_severity: Severity::Critical, ..options() };
    let triaged = triage(seen(&file("a"), &token, &[(ACME, &token)]), &severe);
    assert_eq!((triaged.findings.len(), triaged.below_threshold), (0, 1));
}

#[test]
fn test_keys_rank_as_their_rule_says() {
    let token = format!("acme_test{}", "x".repeat(26));
    let triaged = triage(seen(&file("a"), &token, &[(ACME, &token)]), &options());
    let finding = &triaged.findings[0];
    assert_eq!((finding.severity, finding.mode), (Severity::Low, CredentialMode::Test));
}

#[test]
fn client_exposed_names_raise_secret_keys_only() {
    let token = acme(0);
    let named = format!("NEXT_PUBLIC_K={token}");
    let finding = triage(seen(&file("a"), &named, &[(ACME, &token)]), &options()).findings.remove(0);
    assert_eq!(finding.severity, Severity::Critical);
    assert_eq!(codes(&finding.notes), ["client-exposed-name"]);
    let asked = TriageOptions { include_public: true, ..options() };
    let finding = triage(seen(&file("a"), &named, &[(PUBLIC, &token)]), &asked).findings.remove(0);
    assert_eq!((finding.severity, finding.notes.len()), (Severity::High, 0));
}

#[test]
fn what_the_engine_saw_of_the_neighbourhood_is_told() {
    let token = acme(0);
    let text = format!("K={token}");
    let mut matches = hits(text.as_bytes(), ACME, &token);
    matches[0].traits = Match::TRAIT_PLACEHOLDER | Match::TRAIT_CLIENT_EXPOSED;
    let origin = file("a");
    let all = capture(&Chunk::whole(text.as_bytes(), &origin, Encoding::Plain), &matches, &Book::standard());
    let finding = triage(all, &options()).findings.remove(0);
    assert_eq!(finding.severity, Severity::Critical);
    assert_eq!(codes(&finding.notes), ["client-exposed-name"]);
    assert_eq!(codes(&finding.occurrences[0].notes), ["placeholder"]);
}

#[test]
fn publishable_keys_are_reported_on_request_and_still_keep_generic_rules_away() {
    let token = acme(0);
    let text = format!("K={token}");
    let needles = [(PUBLIC, token.as_str()), (PASSWORD, token.as_str())];
    let triaged = triage(seen(&file("a"), &text, &needles), &options());
    assert_eq!((triaged.findings.len(), triaged.below_threshold), (0, 0));
    let asked = TriageOptions { include_public: true, ..options() };
    assert_eq!(rules(&triage(seen(&file("a"), &text, &needles), &asked)), ["acme-publishable"]);
}

#[test]
fn companions_find_each_other_within_their_lines() {
    let (id, secret) = (acme(8), acme(9));
    for (gap, together) in [(0, true), (3, true), (4, false)] {
        let text = format!("id={id}{}secret={secret}", if gap == 0 { " ".into() } else { "\n".repeat(gap) });
        let all = TriageOptions { min_confidence: Confidence::Low, ..options() };
        let found = triage(seen(&file("a"), &text, &[(ACME_ID, &id), (ACME, &secret)]), &all).findings;
        let by_rule: HashMap<&str, &Finding> =
            found.iter().map(|finding| (finding.rule.id.as_str(), finding)).collect();
        let (id, secret) = (by_rule["acme-id"], by_rule["acme-token"]);
        if together {
            assert_eq!(id.companions, std::slice::from_ref(&secret.fingerprint), "{gap}");
            assert_eq!(secret.companions, std::slice::from_ref(&id.fingerprint), "{gap}");
            assert_eq!(secret.severity, Severity::Critical);
        } else {
            assert!(id.companions.is_empty() && secret.companions.is_empty(), "{gap}");
            assert_eq!((id.severity, codes(&id.notes)), (Severity::Info, vec!["half-pair"]));
            assert_eq!((id.confidence, secret.confidence), (Confidence::Low, Confidence::High));
            assert_eq!(secret.severity, Severity::High);
        }
    }
}

#[test]
fn many_of_a_kind_in_one_test_file_are_test_vectors() {
    let tokens: Vec<String> = (0..5).map(acme).collect();
    for (path, count, confidence) in [
        ("tests/keys.txt", 5, Confidence::Low),
        ("tests/keys.txt", 4, Confidence::Medium),
        ("src/keys.txt", 5, Confidence::High),
    ] {
        let needles: Vec<(u16, &str)> = tokens[..count].iter().map(|token| (ACME, token.as_str())).collect();
        let all = TriageOptions { min_confidence: Confidence::Low, ..options() };
        let found = triage(seen(&file(path), &tokens[..count].join(" "), &needles), &all).findings;
        assert_eq!(found.len(), count);
        assert!(found.iter().all(|finding| finding.confidence == confidence), "{path} {count}");
    }
}

#[test]
fn what_the_base_side_held_is_not_new() {
    let (old, new) = (acme(0), acme(1));
    let text = format!("{old} {new}");
    let mut base = BaseSecrets::default();
    base.add(old.as_bytes());
    let all = seen(&file("a"), &text, &[(ACME, &old), (ACME, &new)]);
    let triaged = finish(all, &base, None, &Book::standard(), &options(), &mut Coverage::default());
    assert_eq!(triaged.known_in_base, 1);
    assert_eq!(triaged.findings.len(), 1);
    assert_eq!(triaged.findings[0].secret, Secret::new(new));
}

/// An attributor that knows what it is told.
struct Told(HashMap<Oid, Vec<Placement>>, Option<GapKind>, Vec<Vec<Oid>>);

impl Attributor for Told {
    fn attribute(&mut self, blobs: &[Oid], coverage: &mut Coverage) -> HashMap<Oid, Vec<Placement>> {
        self.2.push(blobs.to_vec());
        if let Some(kind) = self.1 {
            coverage.gap(kind, "commit", "not there");
        }
        self.0.clone()
    }
}

fn oid(digit: &str) -> Oid {
    digit.repeat(40).parse().unwrap()
}

fn placement(path: &str) -> Placement {
    let timeline = Timeline {
        introduced: None,
        last_seen: None,
        removed: None,
        at_head: true,
        reachable: Reachability::Unknown,
    };
    Placement { path: path.into(), timeline }
}

#[test]
fn blobs_are_shown_at_every_path_history_gives_them() {
    let token = acme(0);
    let blob = |digit: &str| Origin::Blob { id: oid(digit) };
    let member = Origin::Member { outer: Box::new(blob("2")), path: "in.env".into() };
    let mut all = seen(&blob("1"), &token, &[(ACME, &token)]);
    all.extend(seen(&member, &token, &[(ACME, &token)]));
    all.extend(seen(&blob("3"), &token, &[(ACME, &token)]));
    let low = acme(1);
    let mut unsure = seen(&blob("4"), &low, &[(ACME, &low)]);
    unsure[0].checksum = Checksum::Failed;
    all.extend(unsure);
    let places = HashMap::from([
        (oid("1"), vec![placement("z"), placement("tests/b")]),
        (oid("2"), vec![placement("c.zip")]),
    ]);
    for (gap, reachable) in
        [(None, Reachability::Unreachable), (Some(GapKind::Missing), Reachability::Unknown)]
    {
        let mut told = Told(places.clone(), gap, Vec::new());
        let triaged = finish(
            all.clone(),
            &BaseSecrets::default(),
            Some(&mut told),
            &Book::standard(),
            &options(),
            &mut Coverage::default(),
        );
        let shown: Vec<_> = triaged.findings[0]
            .occurrences
            .iter()
            .map(|place| (place.path.as_ref().map(ToString::to_string), place.object.unwrap()))
            .collect();
        let some = |path: &str| Some(path.to_owned());
        let expected = [
            (some("c.zip!in.env"), oid("2")),
            (some("tests/b"), oid("1")),
            (some("z"), oid("1")),
            (None, oid("3")),
        ];
        assert_eq!(shown, expected);
        let last = triaged.findings[0].occurrences.last().unwrap().timeline.as_ref().unwrap();
        assert_eq!(last.reachable, reachable);
        assert_eq!(
            told.2,
            [vec![oid("1"), oid("2"), oid("3")]],
            "asked once, and not for what is not reported"
        );
    }
}

#[test]
fn the_order_of_candidates_and_threads_does_not_matter() {
    let mut all = Vec::new();
    for n in 0..40_u8 {
        let (token, password) = (acme(n % 7), format!("correct-horse-{}", n % 5));
        let text = format!("K={token}\nP={password}\nAGAIN={token}");
        let origin = if n % 3 == 0 {
            file(&format!("d{n}"))
        } else {
            Origin::Blob { id: oid(&format!("{:x}", n % 16)) }
        };
        all.extend(seen(&origin, &text, &[(ACME, &token), (PASSWORD, &password), (PASSWORD, &token)]));
    }
    let told = || Told(HashMap::from([(oid("1"), vec![placement("q")])]), None, Vec::new());
    let run = |all: Vec<Candidate>, threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let found = pool.install(|| {
            let (base, book) = (BaseSecrets::default(), Book::standard());
            finish(all, &base, Some(&mut told()), &book, &options(), &mut Coverage::default())
        });
        format!("{:#?}", found.findings)
    };
    let expected = run(all.clone(), 1);
    assert!(expected.contains("acme-token"));
    for turn in 0..5 {
        all.rotate_left(17);
        if turn % 2 == 0 {
            all.reverse();
        }
        assert_eq!(run(all.clone(), 4), expected);
    }
}

#[test]
fn one_long_line_full_of_secrets_is_no_trap() {
    // Quadratic work would take minutes here.
    let tokens: Vec<String> = (0..20_000).map(|n| format!("acme_{n:030}")).collect();
    let text = tokens.join("; keycull:allow ") + " # keycull:allow";
    let bytes = text.as_bytes();
    let mut at = 0;
    let matches: Vec<Match> = tokens
        .iter()
        .flat_map(|token| {
            let mut found = hits(&bytes[at..at + token.len()], ACME, token);
            for hit in &mut found {
                hit.span = Span::new(at, at + token.len());
                hit.secret = hit.span;
            }
            at += token.len() + "; keycull:allow ".len();
            found
        })
        .collect();
    let origin = file("a");
    let all = capture(&Chunk::whole(bytes, &origin, Encoding::Plain), &matches, &Book::standard());
    assert_eq!(all.len(), tokens.len());
    let triaged = triage(all, &options());
    assert_eq!(triaged.findings.len(), tokens.len());
    assert!(triaged.findings.iter().all(|finding| !finding.disposition.is_new()));
}
