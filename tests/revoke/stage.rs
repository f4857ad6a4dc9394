//! A mock provider, an operator's file, a repository of strings: what every test here needs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use keycull::finding::{
    Checksum, Confidence, CredentialMode, Disposition, Finding, Fingerprint, Occurrence, Origin, Position,
    Redaction, Region, RuleInfo, Secret, Severity, Span, Validation,
};
use keycull::mock::{Faults, MockProvider};
use keycull::net::{Client, ManualClock, NetOptions, Rate};
use keycull::revoke::{
    Apply, ApplyError, ApplyOptions, ApplyReport, Audit, Confirmation, Found, Journal, Place, Plan,
    PlanOptions, Planner, Point, SecretSource,
};
use keycull::validate::{Operator, Providers, Validator, Wire};

use crate::support::witness;

/// A time inside the plans' life.
pub(crate) const NOW: i64 = 1_800_000_000;

pub(crate) fn rule(id: &str) -> Arc<RuleInfo> {
    let (provider, rotate) = ("drill".to_owned(), "Rotate it by hand.".to_owned());
    Arc::new(RuleInfo { provider, rotate, ..RuleInfo::unknown(id) })
}

/// A finding of `rule` in `path`, which is in use.
pub(crate) fn finding(rule_id: &str, secret: &str, path: &str) -> Finding {
    let secret = Secret::new(secret);
    let at = Position { line: 3, column: 1, column_utf16: 1 };
    let place = Occurrence {
        repository: None,
        origin: Origin::File { path: path.into() },
        path: Some(path.into()),
        object: None,
        span: Span::new(0, secret.expose().len()),
        region: Region { start: at, end: at },
        excerpt: "[redacted]".to_owned(),
        line_hash: None,
        timeline: None,
        decoded: Vec::new(),
        context: Vec::new(),
        confidence: Confidence::High,
        disposition: Disposition::New,
        notes: Vec::new(),
    };
    Finding {
        rule: rule(rule_id),
        fingerprint: Fingerprint::of(&secret, false, None),
        redacted: secret.redacted(Redaction::Prefixed { prefix: 4 }),
        secret,
        severity: Severity::High,
        confidence: Confidence::High,
        mode: CredentialMode::Live,
        checksum: Checksum::Passed,
        validation: Validation::NotAttempted,
        companions: Vec::new(),
        components: Vec::new(),
        occurrences: vec![place],
        disposition: Disposition::New,
        notes: Vec::new(),
    }
}

/// Files in memory: rule and path → secrets.
#[derive(Default)]
pub(crate) struct Files(pub(crate) BTreeMap<(String, String), Vec<String>>);

impl Files {
    pub(crate) fn of(findings: &[Finding]) -> Self {
        let mut files = Self::default();
        for finding in findings {
            let path = finding.occurrences[0].path.as_ref().expect("has one").to_uri();
            let secret = String::from_utf8(finding.secret.expose().to_vec()).expect("is text");
            files.0.entry((finding.rule.id.clone(), path)).or_default().push(secret);
        }
        files
    }
}

impl SecretSource for Files {
    fn rule(&self, id: &str) -> Option<Arc<RuleInfo>> {
        Some(rule(id))
    }

    fn read(&self, rule: &str, place: &Place) -> Result<Vec<Found>, String> {
        let path = place.path.clone().ok_or("no path")?;
        let secrets = self.0.get(&(rule.to_owned(), path)).ok_or("the file is gone")?;
        let found = |secret: &String| Found {
            secret: Secret::new(secret.as_str()),
            checksum: Checksum::Passed,
            document: None,
        };
        Ok(secrets.iter().map(found).collect())
    }
}

/// Everything a plan needs, from planning to proof.
pub(crate) struct Stage {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) mock: MockProvider,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) operator: Operator,
    pub(crate) providers: Providers,
    pub(crate) client: Client,
}

impl Stage {
    /// A stage whose operator's file is `extra`, with the mock's address for `{mock}`; `hosts` go to the mock.
    pub(crate) fn new(hosts: &[&str], extra: &str) -> Self {
        let mock =
            MockProvider::start(0, Faults { silence: Duration::from_millis(1500), ..Faults::default() });
        let mock = mock.expect("a port is free");
        let address = mock.address();
        Self::built(hosts, extra, mock, address)
    }

    /// A stage whose `hosts` go to another server.
    pub(crate) fn sent_to(hosts: &[&str], address: std::net::SocketAddr) -> Self {
        let mock = MockProvider::start(0, Faults::default()).expect("a port is free");
        Self::built(hosts, "", mock, address)
    }

    fn built(hosts: &[&str], extra: &str, mock: MockProvider, address: std::net::SocketAddr) -> Self {
        let mut text = String::from("schema = 1\n");
        let (head, rest) = extra.split_once("[[provider]]").map_or((extra, ""), |(head, rest)| (head, rest));
        text.push_str(head);
        if !head.contains("[network.loopback]") {
            text.push_str("\n[network.loopback]\n");
        }
        for host in hosts {
            text.push_str(&format!("\"{host}\" = \"{address}\"\n"));
        }
        if !rest.is_empty() {
            text.push_str("[[provider]]");
            text.push_str(rest);
        }
        let operator = Operator::parse(&text).unwrap_or_else(|problem| panic!("{problem}\n{text}"));
        let providers = Providers::with(&operator.providers);
        let clock = Arc::new(ManualClock::new(NOW));
        let options = NetOptions {
            loopback: operator.loopback.clone(),
            loopback_only: true,
            deadline: Duration::from_millis(700),
            rate: Rate { burst: 1000, every: Duration::from_millis(1) },
            ..NetOptions::default()
        };
        let client = Client::new(options, clock.clone()).expect("is a client");
        Self { folder: tempfile::tempdir().expect("a folder"), mock, clock, operator, providers, client }
    }

    /// The drill's own provider.
    pub(crate) fn drill() -> Self {
        Self::with_drill("")
    }

    /// The drill's provider beside `extra` settings.
    pub(crate) fn with_drill(extra: &str) -> Self {
        let address = "127.0.0.1:1".parse().expect("is an address");
        let text = keycull::mock::drill::drill_operator(address);
        let provider = text.split_once("[[provider]]").expect("has one").1;
        Self::new(&["drill.keycull.invalid"], &format!("{extra}\n[[provider]]{provider}"))
    }

    pub(crate) fn wire(&self) -> Wire<'_> {
        Wire { transport: &self.client, clock: self.clock.as_ref() }
    }

    pub(crate) fn plan_path(&self) -> PathBuf {
        self.folder.path().join("plan.json")
    }

    pub(crate) fn plan(&self, findings: &[Finding], options: &PlanOptions) -> Plan {
        self.plan_from(findings, options, None)
    }

    /// Plans, reading places again from `source` where a finding is not enough.
    pub(crate) fn plan_from(
        &self,
        findings: &[Finding],
        options: &PlanOptions,
        source: Option<&dyn SecretSource>,
    ) -> Plan {
        let validator = Validator::new(&self.providers, &self.operator, self.wire());
        let planner = Planner {
            providers: &self.providers,
            operator: &self.operator,
            validator: &validator,
            source,
            cancel: &AtomicBool::new(false),
        };
        let plan = planner.plan(findings, "rules-1", keycull::net::Clock::now(self.clock.as_ref()), options);
        plan.save(&self.plan_path()).expect("is written");
        plan
    }

    /// Applies the saved plan, cut off where `cut` says so.
    pub(crate) fn apply_cut(
        &self,
        source: &dyn SecretSource,
        options: &ApplyOptions,
        cut: &dyn Fn(Point) -> bool,
    ) -> Result<ApplyReport, ApplyError> {
        self.with_apply(source, cut, |apply, plan, journal, audit| apply.run(plan, journal, audit, options))
    }

    pub(crate) fn apply(&self, source: &dyn SecretSource) -> ApplyReport {
        self.apply_cut(source, &yes(), &|_| false).expect("is applied")
    }

    pub(crate) fn verify(&self, source: &dyn SecretSource) -> ApplyReport {
        self.with_apply(source, &|_| false, |apply, plan, journal, audit| apply.verify(plan, journal, audit))
            .expect("is verified")
    }

    fn with_apply<T>(
        &self,
        source: &dyn SecretSource,
        cut: &dyn Fn(Point) -> bool,
        work: impl FnOnce(&Apply<'_>, &Plan, &mut Journal, &mut Audit) -> Result<T, ApplyError>,
    ) -> Result<T, ApplyError> {
        let plan = Plan::load(&self.plan_path(), "rules-1")?;
        let mut journal = Journal::open(&Plan::journal_path(&self.plan_path()), &plan.digest)?;
        let mut audit = Audit::open(&self.audit_path(), "run", "test")?;
        let validator = Validator::new(&self.providers, &self.operator, self.wire());
        let apply = Apply {
            providers: &self.providers,
            operator: &self.operator,
            validator: &validator,
            wire: self.wire(),
            source,
            key: None,
            cancel: &AtomicBool::new(false),
            cut,
        };
        work(&apply, &plan, &mut journal, &mut audit)
    }

    pub(crate) fn audit_path(&self) -> PathBuf {
        self.folder.path().join("audit.jsonl")
    }

    /// Mutating requests the mock has seen.
    pub(crate) fn mutations(&self) -> usize {
        self.mock.requests().iter().filter(|request| request.method == "DELETE").count()
    }

    /// Asserts that nothing told or written holds any of `secrets`, or a key of the mock.
    #[track_caller]
    pub(crate) fn assert_clean(&self, report: &ApplyReport, secrets: &[&str]) {
        secrets.iter().copied().for_each(witness::made);
        witness::made_by(&self.mock);
        let mut text = Vec::new();
        report.describe(&mut text).expect("is told");
        witness::said("a report", &text);
        witness::said("a report in JSON", report.to_json().as_bytes());
        witness::said("a report for debugging", format!("{report:?}").as_bytes());
        witness::left(self.folder.path());
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        witness::made_by(&self.mock);
        if !std::thread::panicking() {
            witness::left(self.folder.path());
        }
    }
}

/// Yes, whatever is still in use.
pub(crate) fn yes() -> ApplyOptions {
    ApplyOptions { yes: true, confirmation: Confirmation::Emergency, ..ApplyOptions::default() }
}

/// Permission bits of a file.
#[cfg(unix)]
pub(crate) fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).expect("exists").permissions().mode() & 0o777
}
