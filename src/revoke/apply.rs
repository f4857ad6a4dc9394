//! Carries a plan out: read the secret again, prove it live, send, prove it dead.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::finding::{Checksum, Evidence, Fingerprint, FingerprintKey, RuleInfo, Secret, Validation};
use crate::rule::provider::{Provider, Revocation, Word};
use crate::validate::{
    Checked, Driver, DriverKind, Event, Mutation, Operator, Providers, Subject, Validator, Values, Verdict,
    Wire, run as run_steps,
};

use super::audit::Entry;
use super::journal::State;
use super::{
    ApplyReport, Audit, AuditError, Decision, Found, ItemReport, Journal, JournalError, Outcome, Place, Plan,
    PlanError, PlanItem, PlannedAction, SecretSource, driver,
};

mod prove;
mod read;
mod record;
mod send;

use prove::Look;

/// When a key is looked at after it was sent, in seconds; the last look is at the deadline.
const LOOKS: [u64; 12] = [0, 2, 5, 15, 60, 120, 240, 480, 960, 1920, 3600, 7200];
/// Most keys in one run, unless another number is given.
const MOST_KEYS: usize = 10;

/// What the person at the keyboard says about keys that are still in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Confirmation {
    /// Nothing: keys still in use are refused.
    #[default]
    None,
    /// `--replaced`: a new key is in place.
    Replaced,
    /// `--emergency`: kill it now, whatever breaks.
    Emergency,
}

/// What may be done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Allowed {
    /// What the provider can undo.
    Reversible,
    /// What the key may do to itself.
    OwnKey,
    /// Whatever is planned.
    #[default]
    Planned,
}

impl Allowed {
    /// Why `action` is not among it, if it is not.
    fn forbids(self, action: &PlannedAction) -> Option<&'static str> {
        match self {
            Self::Reversible if !action.reversible => {
                Some("only what can be undone is allowed (--allow reversible)")
            }
            Self::OwnKey if action.class != "self" => {
                Some("only what the key may do to itself is allowed (--allow self)")
            }
            Self::Reversible | Self::OwnKey | Self::Planned => None,
        }
    }
}

/// How a plan is applied.
#[derive(Clone, Debug, Default)]
pub struct ApplyOptions {
    /// Without it nothing is sent.
    pub yes: bool,
    /// Only these items, rules or fingerprints; empty is all.
    pub only: BTreeSet<String>,
    /// Brake: more keys than this and nothing is sent at all. Default 10.
    pub max: Option<usize>,
    /// What may be done at all.
    pub allow: Allowed,
    /// About keys that are still in use.
    pub confirmation: Confirmation,
    /// Nobody is at the keyboard: the plan must have been made so, and the operator's policy stands
    /// for `max` and the confirmation.
    pub unattended: bool,
}

/// Points at which a run can be cut off; each is after something became durable or went out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// The check before is in the journal.
    Prechecked,
    /// The journal says that the request goes out next.
    Sending,
    /// The request was answered; the journal does not know.
    Sent,
    /// The answer is in the journal.
    Answered,
    /// A check after is in the journal.
    Postchecked,
    /// The result is in the journal.
    Done,
}

impl Point {
    /// The name, for drills.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prechecked => "prechecked",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Answered => "answered",
            Self::Postchecked => "postchecked",
            Self::Done => "done",
        }
    }

    /// All points, in order.
    pub const ALL: [Self; 6] =
        [Self::Prechecked, Self::Sending, Self::Sent, Self::Answered, Self::Postchecked, Self::Done];
}

/// Why a plan is not applied at all.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The audit log.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// A person was to look at it.
    #[error(
        "this needs a person: the operator's file does not enable unattended runs, or the plan was not made with --unattended"
    )]
    Attended,
    /// Too many keys at once.
    #[error(
        "the plan would kill {0} keys and the limit is {1}: look at the plan, then say --max {0}, or pick some with --only"
    )]
    TooMany(usize, usize),
}

impl ApplyError {
    /// `6` for what policy stops, `2` for everything else.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if matches!(self, Self::TooMany(..) | Self::Attended) { 6 } else { 2 }
    }
}

/// Everything an application of a plan works with.
pub struct Apply<'a> {
    /// Provider blocks in force.
    pub providers: &'a Providers,
    /// The operator's file.
    pub operator: &'a Operator,
    /// Asks providers; on the same wire.
    pub validator: &'a Validator<'a>,
    /// Network and time.
    pub wire: Wire<'a>,
    /// Reads secrets again.
    pub source: &'a dyn SecretSource,
    /// Key of keyed fingerprints.
    pub key: Option<&'a FingerprintKey>,
    /// Set by a signal: the run ends at the next safe point.
    pub cancel: &'a AtomicBool,
    /// Asked at every [`Point`]; true cuts the run off there, as a kill would. For drills.
    pub cut: &'a dyn Fn(Point) -> bool,
}

/// Why a run ends early.
enum Halt {
    Interrupted,
    Error(ApplyError),
}

impl<E: Into<ApplyError>> From<E> for Halt {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// A key on its way.
struct Work<'p> {
    item: &'p PlanItem,
    rule: Arc<RuleInfo>,
    fingerprint: Fingerprint,
    secret: Secret,
    checksum: Checksum,
    document: Option<Secret>,
    parts: Vec<(String, Secret)>,
}

impl Work<'_> {
    fn subject(&self) -> Subject<'_> {
        Subject {
            rule: &self.rule,
            secret: &self.secret,
            fingerprint: &self.fingerprint,
            checksum: self.checksum,
            document: self.document.clone(),
            parts: self.parts.clone(),
        }
    }
}

/// A key that was sent, and what has to be proven of it.
struct Sent<'p> {
    work: Work<'p>,
    /// What it is if it is found dead.
    proven: Outcome,
    /// What it is if not.
    unproven: Outcome,
    /// What the provider said.
    reason: String,
    /// The operator's own service says it is dead, and the operator says that this is proof.
    confirmed: bool,
}

/// One run: where everything is written down.
struct Run<'r> {
    plan: &'r Plan,
    journal: &'r mut Journal,
    audit: &'r mut Audit,
    started: Duration,
    reports: BTreeMap<String, ItemReport>,
}

impl Apply<'_> {
    /// Applies `plan`, or goes on where `journal` stopped. Without `options.yes` nothing is sent or written.
    ///
    /// # Errors
    ///
    /// Nothing was decided: the plan has expired, the brake holds, journal or audit log fail.
    pub fn run(
        &self,
        plan: &Plan,
        journal: &mut Journal,
        audit: &mut Audit,
        options: &ApplyOptions,
    ) -> Result<ApplyReport, ApplyError> {
        let items: Vec<&PlanItem> = plan.items.iter().filter(|item| wanted(item, &options.only)).collect();
        if !options.yes {
            return Ok(dry_run(plan, options));
        }
        let policy = &self.operator.unattended;
        if options.unattended && !(plan.unattended && policy.enabled) {
            return Err(ApplyError::Attended);
        }
        let unfinished = |item: &&&PlanItem| {
            let state = journal.state(&item.id);
            let ended = matches!(state, Some(State::Done { outcome, .. }) if *outcome != Outcome::Unknown);
            item.decision == Decision::Ready && !ended
        };
        let (count, most) = (items.iter().filter(unfinished).count(), self.most(options));
        if count > most {
            return Err(ApplyError::TooMany(count, most));
        }
        let fresh = |item: &&&PlanItem| {
            item.decision == Decision::Ready
                && matches!(journal.state(&item.id), None | Some(State::Prechecked { .. }))
        };
        let good = plan.still_good(self.wire.clock.now());
        if items.iter().all(|item| fresh(&item) || item.decision != Decision::Ready) && count > 0 {
            good?;
        }
        let started = self.wire.clock.steady();
        let mut run = Run { plan, journal, audit, started, reports: BTreeMap::new() };
        let halted = self.carry_out(&mut run, &items, options);
        self.finish(run, &items, halted)
    }

    /// Looks once more at everything that was sent under `plan`. Sends nothing that changes anything.
    ///
    /// # Errors
    ///
    /// Journal or audit log fail.
    pub fn verify(
        &self,
        plan: &Plan,
        journal: &mut Journal,
        audit: &mut Audit,
    ) -> Result<ApplyReport, ApplyError> {
        let items: Vec<&PlanItem> =
            plan.items.iter().filter(|item| was_sent(journal.state(&item.id))).collect();
        let started = self.wire.clock.steady();
        let mut run = Run { plan, journal, audit, started, reports: BTreeMap::new() };
        let mut halted = Ok(());
        for item in &items {
            halted = self.look_once(&mut run, item);
            if halted.is_err() {
                break;
            }
        }
        self.finish(run, &items, halted)
    }

    /// The brake: `--max`, else the policy's for runs without a person, else ten.
    fn most(&self, options: &ApplyOptions) -> usize {
        let policy = if options.unattended { self.operator.unattended.max } else { None };
        options.max.or(policy).unwrap_or(MOST_KEYS)
    }

    fn finish(
        &self,
        run: Run<'_>,
        items: &[&PlanItem],
        halted: Result<(), Halt>,
    ) -> Result<ApplyReport, ApplyError> {
        let interrupted = match halted {
            Ok(()) => false,
            Err(Halt::Interrupted) => true,
            Err(Halt::Error(error)) => return Err(error),
        };
        let mut reports = run.reports;
        let items = items.iter().filter_map(|item| reports.remove(&item.id)).collect();
        Ok(ApplyReport { dry_run: false, interrupted, items })
    }

    fn carry_out(&self, run: &mut Run<'_>, items: &[&PlanItem], options: &ApplyOptions) -> Result<(), Halt> {
        let (mut to_send, mut ready, mut sent) = (Vec::new(), Vec::new(), Vec::new());
        for item in items.iter().copied() {
            match self.sort(run, item, options) {
                Sorted::Reported(report) => {
                    run.reports.insert(item.id.clone(), report);
                }
                Sorted::Send => to_send.push(item),
                Sorted::Again(reason) => {
                    if let Some(work) = self.read_again(run, item, Outcome::Unknown)? {
                        self.look_before_again(run, work, reason, &mut ready, &mut sent)?;
                    }
                }
                Sorted::Prove { proven, unproven, reason } => {
                    if let Some(work) = self.read_again(run, item, Outcome::Unknown)? {
                        sent.push(Sent { work, proven, unproven, reason, confirmed: false });
                    }
                }
            }
        }
        for item in to_send {
            self.pause()?;
            if let Some(work) = self.precheck(run, item)? {
                ready.push(work);
            }
        }
        self.send_all(run, ready, &mut sent)?;
        self.prove_all(run, sent)
    }

    /// A key whose request may or may not have arrived, where twice is the same as once: dead is
    /// dead; found live it is sent again; anything else waits for proof.
    fn look_before_again<'p>(
        &self,
        run: &mut Run<'_>,
        work: Work<'p>,
        reason: String,
        ready: &mut Vec<Work<'p>>,
        sent: &mut Vec<Sent<'p>>,
    ) -> Result<(), Halt> {
        let item = work.item;
        let key =
            Sent { work, proven: Outcome::Revoked, unproven: Outcome::Unknown, reason, confirmed: false };
        match self.look(run, &key)? {
            Look::Dead(reason, status) => self.done(run, item, Outcome::Revoked, &reason, status)?,
            Look::Live(_) if run.plan.still_good(self.wire.clock.now()).is_ok() => ready.push(key.work),
            Look::Live(_) | Look::NoAnswer(_) | Look::Blind(_) => sent.push(key),
        }
        Ok(())
    }

    /// Whether the request may be sent twice without doing anything twice.
    fn is_idempotent(&self, item: &PlanItem) -> bool {
        match (self.driver(item), self.block(item)) {
            (Some(driver), _) => !matches!(driver.kind, DriverKind::Exec { .. }),
            (None, Some((_, revocation))) => revocation.idempotent,
            (None, None) => false,
        }
    }

    /// Where an item stands.
    fn sort(&self, run: &Run<'_>, item: &PlanItem, options: &ApplyOptions) -> Sorted {
        let report = |outcome, reason: &str| Sorted::Reported(ItemReport::of(item, outcome, reason, None));
        let prove = |unproven, reason: &str| Sorted::Prove {
            proven: Outcome::Revoked,
            unproven,
            reason: reason.to_owned(),
        };
        match run.journal.state(&item.id) {
            Some(State::Done { outcome, reason, status }) => {
                let open = matches!(outcome, Outcome::AcceptedUnproven | Outcome::Unknown);
                if *outcome == Outcome::Unknown && self.is_idempotent(item) {
                    return Sorted::Again(reason.clone());
                }
                let known = || Sorted::Reported(ItemReport::of(item, *outcome, reason.as_str(), *status));
                return if open { prove(*outcome, reason) } else { known() };
            }
            Some(State::Postchecked { .. }) if run.journal.was_accepted(&item.id) => {
                return prove(Outcome::AcceptedUnproven, "accepted in an earlier run");
            }
            Some(State::Sending | State::Postchecked { .. }) => {
                let reason = "no clear answer in an earlier run";
                let again = self.is_idempotent(item);
                return if again {
                    Sorted::Again(reason.to_owned())
                } else {
                    prove(Outcome::Unknown, reason)
                };
            }
            Some(State::Answered { word, status }) => {
                return match word.as_str() {
                    "accepted" | "already_dead" => {
                        prove(Outcome::AcceptedUnproven, "accepted in an earlier run")
                    }
                    "not_authorised" => report(Outcome::NotAuthorised, &answered(*status)),
                    "unsupported" => report(Outcome::Unsupported, &answered(*status)),
                    "failed" => report(Outcome::Failed, &answered(*status)),
                    _ => prove(Outcome::Unknown, "the answer of an earlier run was unclear"),
                };
            }
            None | Some(State::Prechecked { .. }) => {}
        }
        match &item.decision {
            Decision::AlreadyDead => return report(Outcome::AlreadyDead, &item.reason),
            Decision::Manual(why) => return report(Outcome::Manual, why),
            Decision::Refused(why) => return report(Outcome::Refused, why),
            Decision::Unread(why) => return report(Outcome::Skipped, why),
            Decision::Ready => {}
        }
        if let Some(place) = item.places.iter().find(|place| place.in_use)
            && options.confirmation == Confirmation::None
            && !options.unattended
        {
            let why = format!(
                "still in use at {place}: replace it there, then say --replaced; or --emergency to kill it now"
            );
            return report(Outcome::Refused, &why);
        }
        if let Err(error) = run.plan.still_good(self.wire.clock.now()) {
            return report(Outcome::Skipped, &error.to_string());
        }
        let never = &self.operator.never_revoke;
        if never.contains(&item.fingerprint) || never.contains(&item.rule) {
            return report(Outcome::Refused, "the operator's file says never_revoke");
        }
        if let Some(why) = item.action.as_ref().and_then(|action| options.allow.forbids(action)) {
            return report(Outcome::Refused, why);
        }
        if let Some(why) = self.changed_action(item) {
            return report(Outcome::Skipped, &why);
        }
        Sorted::Send
    }

    /// Whether the block the plan was made from is another one now.
    fn changed_action(&self, item: &PlanItem) -> Option<String> {
        let Some(action) = &item.action else { return Some("the plan names no action".to_owned()) };
        let digest = if action.kind == "driver" {
            self.operator.driver_for(&item.rule).map(driver::digest)
        } else {
            self.providers.by_id(&action.provider).map(Providers::digest)
        };
        let same = digest.is_some_and(|digest| digest == action.provider_digest);
        (!same).then(|| format!("{} is not the block the plan was made from; plan again", action.provider))
    }
}

enum Sorted {
    Reported(ItemReport),
    Send,
    /// May have been sent; may be sent again.
    Again(String),
    Prove {
        proven: Outcome,
        unproven: Outcome,
        reason: String,
    },
}

fn wanted(item: &PlanItem, only: &BTreeSet<String>) -> bool {
    only.is_empty()
        || only.contains(&item.id)
        || only.contains(&item.rule)
        || only.contains(&item.fingerprint)
}

fn was_sent(state: Option<&State>) -> bool {
    match state {
        None | Some(State::Prechecked { .. }) => false,
        Some(State::Sending | State::Answered { .. } | State::Postchecked { .. }) => true,
        Some(State::Done { outcome, .. }) => {
            matches!(
                outcome,
                Outcome::Revoked | Outcome::AcceptedUnproven | Outcome::Unknown | Outcome::AlreadyDead
            )
        }
    }
}

fn answered(status: Option<u16>) -> String {
    status.map_or_else(
        || "refused in an earlier run".to_owned(),
        |status| format!("status {status}, in an earlier run"),
    )
}

/// What applying `plan` would do, without looking at journal or network.
#[must_use]
pub fn dry_run(plan: &Plan, options: &ApplyOptions) -> ApplyReport {
    let items = plan.items.iter().filter(|item| wanted(item, &options.only));
    ApplyReport { dry_run: true, interrupted: false, items: items.map(|item| dry(item, options)).collect() }
}

fn dry(item: &PlanItem, options: &ApplyOptions) -> ItemReport {
    let forbidden = item.action.as_ref().and_then(|action| options.allow.forbids(action));
    match &item.decision {
        Decision::Ready if let Some(why) = forbidden => ItemReport::of(item, Outcome::Refused, why, None),
        Decision::Ready => ItemReport::of(item, Outcome::Planned, "would be revoked", None),
        Decision::AlreadyDead => ItemReport::of(item, Outcome::AlreadyDead, item.reason.as_str(), None),
        Decision::Manual(why) => ItemReport::of(item, Outcome::Manual, why.as_str(), None),
        Decision::Refused(why) => ItemReport::of(item, Outcome::Refused, why.as_str(), None),
        Decision::Unread(why) => ItemReport::of(item, Outcome::Skipped, why.as_str(), None),
    }
}
