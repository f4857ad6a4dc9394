//! A report with one of everything, odd names included.

use std::sync::Arc;

use keycull::finding::{
    AllowSource, Checksum, CommitInfo, Confidence, Coverage, CredentialMode, Detail, Disposition, Facet,
    Finding, Fingerprint, GapKind, InertEntry, Inertness, Note, Occurrence, Oid, Origin, Position,
    Reachability, Redaction, Region, RepoPath, RuleInfo, ScanReport, Secret, Severity, SkipReason, Span,
    Timeline, Validation,
};

/// A name that must not get into anything that is uploaded.
pub(crate) const AUTHOR: &str = "Jane Roe";

pub(crate) fn oid(digit: char) -> Oid {
    digit.to_string().repeat(40).parse().expect("40 digits name an object")
}

pub(crate) fn rule(id: &str, name: &str, severity: Severity, guessable: bool) -> Arc<RuleInfo> {
    Arc::new(RuleInfo {
        id: id.to_owned(),
        name: name.to_owned(),
        description: format!("Whoever has this {name} acts as its owner"),
        provider: id.split('-').next().unwrap_or(id).to_owned(),
        kind: if guessable { "generic" } else { "token" },
        severity,
        confidence: Confidence::High,
        references: vec![format!("https://docs.example.com/{id}")],
        rotate: "Make a new one under Settings > Tokens, then delete this one".to_owned(),
        public: false,
        guessable,
    })
}

/// A secret nobody's scanner should take for one in this file: made here, from a short seed.
pub(crate) fn token(prefix: &str, seed: &str) -> Secret {
    Secret::new(format!("{prefix}_{}", seed.repeat(36 / seed.len() + 1)))
}

pub(crate) fn position(line: usize, column: usize, column_utf16: usize) -> Position {
    Position { line, column, column_utf16 }
}

pub(crate) fn place(origin: Origin, line: usize, excerpt: &str) -> Occurrence {
    Occurrence {
        repository: None,
        path: origin.path(),
        object: origin.object(),
        origin,
        span: Span::new(100, 140),
        region: Region { start: position(line, 11, 10), end: position(line, 51, 50) },
        excerpt: excerpt.to_owned(),
        line_hash: Some(format!("{line:x}bc29715d7a2bc9a:1")),
        timeline: None,
        decoded: Vec::new(),
        context: Vec::new(),
        confidence: Confidence::High,
        disposition: Disposition::New,
        notes: Vec::new(),
    }
}

pub(crate) fn file(path: &str, line: usize) -> Occurrence {
    place(Origin::File { path: path.into() }, line, "let key = \"abc_…\";")
}

pub(crate) fn finding(rule: &Arc<RuleInfo>, secret: Secret, occurrences: Vec<Occurrence>) -> Finding {
    let how = if rule.guessable { Redaction::Full } else { Redaction::Prefixed { prefix: 4 } };
    let mut finding = Finding {
        fingerprint: Fingerprint::of(&secret, false, None),
        redacted: secret.redacted(how),
        severity: rule.severity,
        confidence: rule.confidence,
        rule: Arc::clone(rule),
        secret,
        mode: CredentialMode::Live,
        checksum: Checksum::Absent,
        validation: Validation::NotAttempted,
        companions: Vec::new(),
        components: Vec::new(),
        disposition: Disposition::New,
        notes: Vec::new(),
        occurrences,
    };
    finding.disposition = finding.primary().disposition.clone();
    finding
}

pub(crate) fn commit(digit: char, day: i64, subject: &str) -> CommitInfo {
    CommitInfo {
        id: oid(digit),
        author: AUTHOR.to_owned(),
        date: 1_709_294_400 + day * 86_400,
        subject: subject.to_owned(),
    }
}

fn allowed(by: AllowSource, reason: Option<&str>) -> Disposition {
    Disposition::Allowed { by, reason: reason.map(str::to_owned), until: Some("2030-01-31".to_owned()) }
}

/// Paths of the first finding: the names that break reports elsewhere.
pub(crate) const ODD_PATHS: [&str; 3] =
    ["src/über dir/a#b.rs", "c:drive/100%.txt", "new\nline/\u{1b}[31mred.env"];

/// A token in files with odd names, once allowed inline.
fn in_the_tree() -> Finding {
    let rule = rule("github-pat", "GitHub personal access token", Severity::Critical, false);
    let mut places: Vec<Occurrence> =
        ODD_PATHS.iter().zip(12..).map(|(path, line)| file(path, line)).collect();
    let mut ignored = file("docs/example.md", 3);
    ignored.disposition =
        allowed(AllowSource::Inline { marker: "keycull:allow".to_owned() }, Some("shown in the manual"));
    places.push(ignored);
    let mut finding = finding(&rule, token("ghp", "aB3"), places);
    finding.checksum = Checksum::Passed;
    finding.notes =
        vec![Note { code: "client-exposed-name", text: "the name is sent to browsers".to_owned() }];
    finding
}

/// A token only history holds, under two paths, named in the commit's subject.
fn in_history() -> Finding {
    let rule = rule("slack-bot", "Slack bot token", Severity::High, false);
    let secret = token("xob", "q7Z");
    let raw = String::from_utf8(secret.expose().to_vec()).expect("made of ASCII");
    let timeline = |day| Timeline {
        introduced: Some(commit('1', day, &format!("add {raw} again"))),
        last_seen: Some(commit('2', 5, "more work")),
        removed: Some(commit('3', 9, "remove it")),
        at_head: false,
        reachable: Reachability::Refs { names: vec!["refs/heads/main".to_owned()], more: 3 },
    };
    let at = |path: &str, digit, day| {
        let mut at = place(Origin::Blob { id: oid(digit) }, 7, "token: xob_…");
        at.path = Some(path.into());
        at.timeline = Some(timeline(day));
        at
    };
    finding(&rule, secret, vec![at("late.yml", '4', 3), at("old dir/bot.yml", '5', 1)])
}

/// A password, in a path that is not UTF-8; nothing of it may show. A key id stands beside it, and for whom
/// and what it is.
fn password() -> Finding {
    let rule = rule("generic-password", "Password", Severity::Medium, true);
    let path = RepoPath::new(b"conf/\xff\xfe.ini".to_vec());
    let half = self::rule("acme-key-id", "Acme key id", Severity::Low, false);
    let beside = place(Origin::File { path: path.clone() }, 1, "id = aci_…");
    let mut at = place(Origin::File { path }, 2, "password = [redacted]");
    at.line_hash = None;
    at.context = vec![
        Detail { facet: Facet::User, value: "admin".to_owned() },
        Detail { facet: Facet::Host, value: "db.example.org".to_owned() },
    ];
    let mut finding = finding(&rule, Secret::new(["hun", "ter", "2"].concat()), vec![at]);
    finding.confidence = Confidence::Medium;
    finding.components = vec![self::finding(&half, token("aci", "h3T"), vec![beside])];
    finding
}

/// Findings that do not count, one of each kind.
fn suppressed() -> Vec<Finding> {
    let rule = rule("acme-key", "Acme key", Severity::High, false);
    let with = |seed: &str, path: &str, disposition: Disposition| {
        let mut at = file(path, 1);
        at.disposition = disposition;
        finding(&rule, token("acm", seed), vec![at])
    };
    let marker = AllowSource::Inline { marker: "gitleaks:allow".to_owned() };
    let entry = AllowSource::Config { entry: "keycull.toml [[allow]] #2".to_owned() };
    vec![
        with("a1", "based.txt", Disposition::Baselined { reason: Some("known since 2020".to_owned()) }),
        with("b2", "inline.txt", allowed(marker, None)),
        with("c3", "config.txt", allowed(entry, Some("test data"))),
        with("d4", "sample.txt", allowed(AllowSource::KnownSample, None)),
    ]
}

/// Secrets in places that are no text files.
fn elsewhere() -> Vec<Finding> {
    let rule = rule("beta-key", "Beta key", Severity::Low, false);
    let mut binary = file("bin/app.bin", 1);
    binary.decoded = vec!["base64", "percent"];
    binary.excerpt = "\\x00\\x01…beta…\\xff".to_owned();

    let mut message = place(Origin::Commit { id: oid('6') }, 4, "use bet_… for now");
    message.timeline = Some(Timeline {
        introduced: Some(commit('6', 2, "a [link](https://example.com/x)")),
        last_seen: None,
        removed: None,
        at_head: false,
        reachable: Reachability::Unreachable,
    });

    let named = token("bet", "n4M");
    let path = [b"keys/", named.expose(), b".pem"].concat();
    let name = place(Origin::FileName { path: RepoPath::new(path) }, 1, "keys/bet_….pem");

    let outer = Box::new(Origin::Blob { id: oid('7') });
    let mut member = place(Origin::Member { outer, path: "in side.env".into() }, 5, "KEY=bet_…");
    member.path = Some("pack.zip!in side.env".into());
    member.timeline = Some(Timeline {
        introduced: Some(commit('8', 4, "add archive")),
        last_seen: None,
        removed: None,
        at_head: true,
        reachable: Reachability::Unknown,
    });
    vec![
        finding(&rule, token("bet", "x9Y"), vec![binary]),
        finding(&rule, token("bet", "u2V"), vec![message]),
        finding(&rule, named, vec![name]),
        finding(&rule, token("bet", "m5K"), vec![member]),
    ]
}

pub(crate) fn sample_report() -> ScanReport {
    let mut findings = vec![in_the_tree(), in_history(), password()];
    findings.extend(suppressed());
    findings.extend(elsewhere());
    findings[0].companions = vec![findings[1].fingerprint.clone()];
    let mut coverage = Coverage {
        scopes: vec!["working tree".to_owned(), "full history".to_owned()],
        refs: 4,
        commits: 1234,
        blobs: 5678,
        files: 90,
        bytes: 12_345_678,
        rules_hash: "5ca1ab1e".to_owned(),
        config_hash: "0ddba11".to_owned(),
        nested: vec!["vendor/lib".to_owned()],
        ..Coverage::default()
    };
    coverage.skip(SkipReason::GitIgnored);
    coverage.skip(SkipReason::Encrypted);
    coverage.gap(GapKind::Missing, "blob 0123456789ab", "partial clone; run `git fetch --refetch`");
    coverage.gap(GapKind::Shallow, "history", "cut by a shallow clone");
    coverage.gaps[1].accepted = true;
    let mut rules: Vec<Arc<RuleInfo>> = findings.iter().map(|finding| Arc::clone(&finding.rule)).collect();
    rules.sort_by(|a, b| a.id.cmp(&b.id));
    rules.dedup();
    let inert = vec![InertEntry {
        entry: "keycull.toml:7 [[allow]]".to_owned(),
        why: Inertness::Unused,
        text: "nothing that was found needs it; remove it".to_owned(),
    }];
    ScanReport { findings, below_threshold: 2, coverage, inert, rules }
}

/// A complete scan that found nothing.
pub(crate) fn clean_report() -> ScanReport {
    let coverage =
        Coverage { scopes: vec!["index".to_owned()], index_entries: 2, bytes: 312, ..Coverage::default() };
    ScanReport { coverage, ..ScanReport::default() }
}
