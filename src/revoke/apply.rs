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
    PlanError, PlanItem, SecretSource, driver,
};

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

/// How a plan is applied.
#[derive(Clone, Debug, Default)]
pub struct ApplyOptions {
    /// Without it nothing is sent.
    pub yes: bool,
    /// Only these items, rules or fingerprints; empty is all.
    pub only: BTreeSet<String>,
    /// Brake: more keys than this and nothing is sent at all. Default 10.
    pub max: Option<usize>,
    /// About keys that are still in use.
    pub confirmation: Confirmation,
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
    /// Too many keys at once.
    #[error(
        "the plan would kill {0} keys and the limit is {1}: look at the plan, then say --max {0}, or pick some with --only"
    )]
    TooMany(usize, usize),
}

impl ApplyError {
    /// `6` for the brake, `2` for everything else.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if matches!(self, Self::TooMany(..)) { 6 } else { 2 }
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
    parts: Vec<(String, Secret)>,
}

impl Work<'_> {
    fn subject(&self) -> Subject<'_> {
        Subject {
            rule: &self.rule,
            secret: &self.secret,
            fingerprint: &self.fingerprint,
            checksum: self.checksum,
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
            return Ok(ApplyReport {
                dry_run: true,
                interrupted: false,
                items: items.into_iter().map(dry).collect(),
            });
        }
        let unfinished = |item: &&&PlanItem| {
            let state = journal.state(&item.id);
            let ended = matches!(state, Some(State::Done { outcome, .. }) if *outcome != Outcome::Unknown);
            item.decision == Decision::Ready && !ended
        };
        let (count, most) = (items.iter().filter(unfinished).count(), options.max.unwrap_or(MOST_KEYS));
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
            Some(State::Sending) => {
                let reason = "the run ended while the request was on its way";
                let again = self.is_idempotent(item);
                return if again {
                    Sorted::Again(reason.to_owned())
                } else {
                    prove(Outcome::Unknown, reason)
                };
            }
            Some(State::Postchecked { .. }) => {
                return prove(Outcome::AcceptedUnproven, "accepted in an earlier run");
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
            Decision::Ready => {}
        }
        if let Some(place) = item.places.iter().find(|place| place.in_use)
            && options.confirmation == Confirmation::None
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

    /// Reads the secret and its parts again; reports `outcome` if that is not possible.
    fn read_again<'p>(
        &self,
        run: &mut Run<'_>,
        item: &'p PlanItem,
        outcome: Outcome,
    ) -> Result<Option<Work<'p>>, Halt> {
        match self.work(item) {
            Ok(work) => Ok(Some(work)),
            Err(reason) => {
                self.done(run, item, outcome, &reason, None)?;
                Ok(None)
            }
        }
    }

    fn work<'p>(&self, item: &'p PlanItem) -> Result<Work<'p>, String> {
        let rule =
            self.source.rule(&item.rule).ok_or_else(|| format!("there is no rule {} any more", item.rule))?;
        let (fingerprint, found) = self.find(&item.rule, &item.fingerprint, &item.places)?;
        let mut parts = Vec::new();
        for part in &item.parts {
            parts.push((part.rule.clone(), self.find(&part.rule, &part.fingerprint, &part.places)?.1.secret));
        }
        Ok(Work { item, rule, fingerprint, secret: found.secret, checksum: found.checksum, parts })
    }

    /// The secret with this fingerprint, from the first place that still has it.
    fn find(&self, rule: &str, fingerprint: &str, places: &[Place]) -> Result<(Fingerprint, Found), String> {
        let print: Fingerprint =
            fingerprint.parse().map_err(|_| "the plan's fingerprint is none".to_owned())?;
        let mut last = "the plan names no place".to_owned();
        for place in places {
            match self.source.read(rule, place) {
                Ok(found) => match found.into_iter().find(|found| print.matches(&found.secret, self.key)) {
                    Some(found) => return Ok((print, found)),
                    None => last = format!("{place} does not hold this secret any more"),
                },
                Err(reason) => last = format!("{place}: {reason}"),
            }
        }
        Err(last)
    }

    /// Reads and checks a key before it is sent. None if it will not be.
    fn precheck<'p>(&self, run: &mut Run<'_>, item: &'p PlanItem) -> Result<Option<Work<'p>>, Halt> {
        let Some(work) = self.read_again(run, item, Outcome::Skipped)? else { return Ok(None) };
        let checked = self.validator.check_now(&work.subject());
        self.note(run, item, State::Prechecked { verdict: checked.word().to_owned() }, Point::Prechecked)?;
        let by_driver = item.action.as_ref().is_some_and(|action| action.kind == "driver");
        let has_check =
            self.providers.for_rule(&item.rule).is_some_and(|provider| provider.validate.is_some());
        let (outcome, reason, evidence) = match &checked.validation {
            Validation::Dead(evidence) => (Outcome::AlreadyDead, checked.reason.clone(), Some(evidence)),
            Validation::Live(evidence) => match self.stranger(item, &checked, evidence) {
                Some(reason) => (Outcome::Refused, reason, Some(evidence)),
                None => return Ok(Some(work)),
            },
            Validation::Unknown(_) | Validation::NotAttempted if by_driver || !has_check => {
                return Ok(Some(work));
            }
            Validation::Unknown(reason) => (Outcome::Skipped, format!("not proven live: {reason}"), None),
            Validation::NotAttempted => (Outcome::Refused, checked.reason.clone(), None),
        };
        self.done(run, item, outcome, &reason, evidence.and_then(|evidence| evidence.status))?;
        Ok(None)
    }

    /// Why this is not the key that was planned for, or one that is never touched.
    fn stranger(&self, item: &PlanItem, checked: &Checked, evidence: &Evidence) -> Option<String> {
        if item.identity.is_some() && item.identity != evidence.identity {
            return Some("it belongs to somebody else than when it was planned; plan again".to_owned());
        }
        let never = &self.operator.never_revoke;
        let names = [evidence.identity.as_ref(), checked.account.as_ref()];
        let hit = names.into_iter().flatten().find(|name| never.contains(*name))?;
        Some(format!("the operator's file says never_revoke {hit}"))
    }

    fn send_all<'p>(
        &self,
        run: &mut Run<'_>,
        ready: Vec<Work<'p>>,
        sent: &mut Vec<Sent<'p>>,
    ) -> Result<(), Halt> {
        let mut batches: BTreeMap<String, Vec<Work<'p>>> = BTreeMap::new();
        let mut requests: BTreeMap<String, u32> = BTreeMap::new();
        for work in ready {
            let action = work.item.action.as_ref();
            match action.and_then(|action| Some((action, self.block(work.item)?.1.batch?))) {
                Some((action, _)) => batches.entry(action.provider.clone()).or_default().push(work),
                None => self.send_one(run, vec![work], sent, &mut requests)?,
            }
        }
        for (_, mut works) in batches {
            while !works.is_empty() {
                let most =
                    self.block(works[0].item).and_then(|(_, block)| block.batch).map_or(1, |batch| batch.max);
                let rest = works.split_off(works.len().min(most));
                self.send_one(run, works, sent, &mut requests)?;
                works = rest;
            }
        }
        Ok(())
    }

    /// The provider block of an item and the way it is revoked; none for drivers.
    fn block(&self, item: &PlanItem) -> Option<(&Provider, &Revocation)> {
        let action = item.action.as_ref()?;
        let provider = self.providers.by_id(&action.provider)?;
        let revocation = match action.kind.as_str() {
            "revoke" => provider.revoke.as_ref(),
            "delete" => provider.delete.as_ref(),
            _ => None,
        }?;
        Some((provider, revocation))
    }

    /// Sends one request for one key, or for a batch of one provider.
    fn send_one<'p>(
        &self,
        run: &mut Run<'_>,
        works: Vec<Work<'p>>,
        sent: &mut Vec<Sent<'p>>,
        requests: &mut BTreeMap<String, u32>,
    ) -> Result<(), Halt> {
        self.pause()?;
        let Some(first) = works.first() else { return Ok(()) };
        let driver = self.driver(first.item);
        if let (None, Some((provider, revocation))) = (driver, self.block(first.item)) {
            let made = requests.entry(provider.id.clone()).or_default();
            if revocation.limit.is_some_and(|limit| *made >= limit.requests) {
                return self.all_done(
                    run,
                    &works,
                    Outcome::Skipped,
                    "the provider's limit is reached; plan again later",
                );
            }
            *made += 1;
            if let Some(scope) = revocation.require.as_ref().map(|require| &require.scope) {
                let checked = self.validator.check(&first.subject());
                let has = matches!(&checked.validation, Validation::Live(evidence) if evidence.scopes.contains(scope));
                if !has {
                    let why = format!(
                        "the key lacks the right {scope}, so it cannot revoke itself; nothing was sent"
                    );
                    return self.all_done(run, &works, Outcome::Unsupported, &why);
                }
            }
        }
        let (verdict, dead) = match self.transmit(run, &works, driver)? {
            Ok(result) => result,
            Err(reason) => return self.all_done(run, &works, Outcome::Skipped, &reason),
        };
        for work in &works {
            let word = verdict.word.as_str().to_owned();
            if verdict.mutated != Mutation::NotSent {
                let event = State::Answered { word: word.clone(), status: verdict.evidence.status };
                self.note(run, work.item, event, Point::Answered)?;
            }
            self.log(run, work.item, "answered", None, verdict.evidence.status, &word)?;
        }
        let confirmed = dead && driver.is_some_and(|driver| driver.trust_answer);
        self.settle(run, works, sent, &verdict, confirmed)
    }

    fn driver(&self, item: &PlanItem) -> Option<&Driver> {
        let by_driver = item.action.as_ref().is_some_and(|action| action.kind == "driver");
        if by_driver { self.operator.driver_for(&item.rule) } else { None }
    }

    /// The request itself, journalled before it goes out. The inner error is why nothing could be sent.
    fn transmit(
        &self,
        run: &mut Run<'_>,
        works: &[Work<'_>],
        driver: Option<&Driver>,
    ) -> Result<Result<(Verdict, bool), String>, Halt> {
        let mut halted = None;
        let mut observe = |event: Event<'_>| {
            let result = match event {
                Event::Sending(traffic) => works.iter().try_for_each(|work| {
                    self.log(
                        run,
                        work.item,
                        "sending",
                        Some((traffic.method, traffic.host, traffic.path)),
                        None,
                        "",
                    )?;
                    self.note(run, work.item, State::Sending, Point::Sending)
                }),
                Event::Done(traffic, _) if traffic.mutates => self.at(Point::Sent),
                Event::Done(..) => Ok(()),
            };
            match result {
                Ok(()) => ControlFlow::Continue(()),
                Err(halt) => {
                    halted = Some(halt);
                    ControlFlow::Break(())
                }
            }
        };
        let first = &works[0];
        let result = match (driver, self.block(first.item)) {
            (Some(driver), _) => {
                let said = driver::send(driver, first.item, &first.secret, self.wire, &mut observe);
                Ok((said.verdict, said.dead))
            }
            (None, Some((provider, revocation))) => {
                let base = provider.base.as_ref().and_then(|base| self.operator.bases.get(&base.name));
                Values::of(provider, &first.secret, &first.parts, base)
                    .map_err(|error| error.to_string())
                    .map(|mut values| {
                        values.batch = works.iter().map(|work| work.secret.clone()).collect();
                        (run_steps(provider, &revocation.steps, &mut values, self.wire, &mut observe), false)
                    })
            }
            (None, None) => Err("the action of the plan does not exist any more; plan again".to_owned()),
        };
        match halted {
            Some(halt) => Err(halt),
            None => Ok(result),
        }
    }

    /// Sorts keys by what the provider said.
    fn settle<'p>(
        &self,
        run: &mut Run<'_>,
        works: Vec<Work<'p>>,
        sent: &mut Vec<Sent<'p>>,
        verdict: &Verdict,
        confirmed: bool,
    ) -> Result<(), Halt> {
        let (proven, unproven) = match (verdict.word, verdict.mutated) {
            (Word::Accepted, _) => (Outcome::Revoked, Outcome::AcceptedUnproven),
            (Word::AlreadyDead, _) => (Outcome::AlreadyDead, Outcome::AcceptedUnproven),
            (Word::NotAuthorised, _) => {
                return self.all_done(run, &works, Outcome::NotAuthorised, &verdict.reason);
            }
            (Word::Unsupported, _) => {
                return self.all_done(run, &works, Outcome::Unsupported, &verdict.reason);
            }
            (Word::Failed, _) => return self.all_done(run, &works, Outcome::Failed, &verdict.reason),
            (_, Mutation::NotSent) => return self.all_done(run, &works, Outcome::Skipped, &verdict.reason),
            (_, Mutation::MaybeSent | Mutation::Answered) => (Outcome::Revoked, Outcome::Unknown),
        };
        for work in works {
            sent.push(Sent { work, proven, unproven, reason: verdict.reason.clone(), confirmed });
        }
        Ok(())
    }

    /// Looks at all that was sent until each is dead or its deadline has passed.
    fn prove_all(&self, run: &mut Run<'_>, mut sent: Vec<Sent<'_>>) -> Result<(), Halt> {
        let start = self.wire.clock.steady();
        let mut looked: Vec<String> = vec![String::new(); sent.len()];
        let deadlines: Vec<u64> = sent.iter().map(|sent| self.deadline(sent.work.item)).collect();
        let latest = deadlines.iter().copied().max().unwrap_or(0);
        let mut times: Vec<u64> =
            LOOKS.into_iter().chain(deadlines.iter().copied()).filter(|at| *at <= latest).collect();
        times.sort_unstable();
        times.dedup();
        let mut open: Vec<usize> = (0..sent.len()).collect();
        for at in times {
            let mut due: Vec<usize> = Vec::new();
            for index in &open {
                if at <= deadlines[*index] {
                    due.push(*index);
                }
            }
            if due.is_empty() {
                continue;
            }
            let elapsed = self.wire.clock.steady().saturating_sub(start);
            self.wait(Duration::from_secs(at).saturating_sub(elapsed))?;
            for index in due {
                let key = &mut sent[index];
                match self.look(run, key)? {
                    Look::Dead(reason, status) => {
                        self.done(run, key.work.item, key.proven, &reason, status)?;
                        open.retain(|other| *other != index);
                    }
                    Look::Blind(reason) => {
                        self.done(
                            run,
                            key.work.item,
                            key.unproven,
                            &format!("{}; {reason}", key.reason),
                            None,
                        )?;
                        open.retain(|other| *other != index);
                    }
                    Look::Live(reason) | Look::NoAnswer(reason) => looked[index] = reason,
                }
            }
        }
        for index in open {
            let key = &sent[index];
            let reason = format!("{}; after {} s: {}", key.reason, deadlines[index], looked[index]);
            self.done(run, key.work.item, key.unproven, &reason, None)?;
        }
        Ok(())
    }

    fn deadline(&self, item: &PlanItem) -> u64 {
        item.action.as_ref().map_or(0, |action| action.propagation)
    }

    /// One look at a key that was sent.
    fn look(&self, run: &mut Run<'_>, key: &Sent<'_>) -> Result<Look, Halt> {
        if key.confirmed {
            return Ok(Look::Dead("the operator's own service says so, and is trusted".to_owned(), None));
        }
        let item = key.work.item;
        let subject = key.work.subject();
        let post = self.block(item).and_then(|(provider, block)| Some((provider, block.post.as_ref()?)));
        let driver = self.driver(item);
        let checked = if let Some(active) =
            driver.and_then(|driver| driver::is_active(driver, &key.work.secret, self.wire))
        {
            return Ok(match active {
                Ok(false) => Look::Dead("introspection says it is not active".to_owned(), Some(200)),
                Ok(true) => Look::Live("introspection says it is active".to_owned()),
                Err(reason) => Look::NoAnswer(reason),
            });
        } else if let Some((provider, post)) = post {
            self.validator.check_with(provider, &post.steps, &subject)
        } else {
            self.validator.check_now(&subject)
        };
        if checked.validation != Validation::NotAttempted {
            self.note(
                run,
                item,
                State::Postchecked { verdict: checked.word().to_owned() },
                Point::Postchecked,
            )?;
        }
        Ok(match checked.validation {
            Validation::Dead(evidence) => {
                Look::Dead(format!("found dead: {}", checked.reason), evidence.status)
            }
            Validation::Live(_) => Look::Live("still live".to_owned()),
            Validation::Unknown(reason) => Look::NoAnswer(format!("no proof: {reason}")),
            Validation::NotAttempted => Look::Blind(format!("no proof is possible: {}", checked.reason)),
        })
    }

    fn look_once(&self, run: &mut Run<'_>, item: &PlanItem) -> Result<(), Halt> {
        self.pause()?;
        let before = match run.journal.state(&item.id) {
            Some(State::Done { outcome, .. }) => *outcome,
            _ => Outcome::Unknown,
        };
        let Some(work) = self.read_again(run, item, Outcome::Unknown)? else { return Ok(()) };
        let proven = if before == Outcome::AlreadyDead { before } else { Outcome::Revoked };
        let unproven = if before == Outcome::Unknown { before } else { Outcome::AcceptedUnproven };
        let key = Sent { work, proven, unproven, reason: "sent before".to_owned(), confirmed: false };
        match self.look(run, &key)? {
            Look::Dead(reason, status) => self.done(run, item, proven, &reason, status),
            Look::Live(reason) | Look::NoAnswer(reason) | Look::Blind(reason) => {
                self.done(run, item, unproven, &reason, None)
            }
        }
    }

    fn all_done(
        &self,
        run: &mut Run<'_>,
        works: &[Work<'_>],
        outcome: Outcome,
        reason: &str,
    ) -> Result<(), Halt> {
        works.iter().try_for_each(|work| self.done(run, work.item, outcome, reason, None))
    }

    /// The end of an item: journal, audit log, report. What was never sent may be tried again by
    /// applying the plan again, so it does not end in the journal.
    fn done(
        &self,
        run: &mut Run<'_>,
        item: &PlanItem,
        outcome: Outcome,
        reason: &str,
        status: Option<u16>,
    ) -> Result<(), Halt> {
        self.log(run, item, "result", None, status, outcome.as_str())?;
        run.reports.insert(item.id.clone(), ItemReport::of(item, outcome, reason, status));
        if matches!(outcome, Outcome::Skipped | Outcome::Refused | Outcome::Manual | Outcome::Planned) {
            return Ok(());
        }
        self.note(run, item, State::Done { outcome, reason: reason.to_owned(), status }, Point::Done)
    }

    fn note(&self, run: &mut Run<'_>, item: &PlanItem, event: State, point: Point) -> Result<(), Halt> {
        run.journal.add(&item.id, self.wire.clock.now(), event)?;
        self.at(point)
    }

    fn log(
        &self,
        run: &mut Run<'_>,
        item: &PlanItem,
        event: &str,
        request: Option<(&str, &str, &str)>,
        status: Option<u16>,
        result: &str,
    ) -> Result<(), Halt> {
        let (method, host, path) = request.unwrap_or_default();
        let elapsed = self.wire.clock.steady().saturating_sub(run.started);
        let entry = Entry {
            at: self.wire.clock.now(),
            run: run.audit.run.clone(),
            actor: run.audit.actor.clone(),
            tool: Plan::tool(),
            plan: run.plan.digest.clone(),
            event: event.to_owned(),
            rule: item.rule.clone(),
            provider: item.action.as_ref().map(|action| action.provider.clone()).unwrap_or_default(),
            fingerprint: item.fingerprint.clone(),
            method: method.to_owned(),
            host: host.to_owned(),
            path: path.to_owned(),
            status,
            result: result.to_owned(),
            elapsed_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        };
        Ok(run.audit.add(entry)?)
    }

    fn at(&self, point: Point) -> Result<(), Halt> {
        if (self.cut)(point) { Err(Halt::Interrupted) } else { Ok(()) }
    }

    fn pause(&self) -> Result<(), Halt> {
        if self.cancel.load(Ordering::Relaxed) { Err(Halt::Interrupted) } else { Ok(()) }
    }

    /// Waits in small steps, so that a signal is heard.
    fn wait(&self, time: Duration) -> Result<(), Halt> {
        let mut left = time;
        while !left.is_zero() {
            self.pause()?;
            let step = left.min(Duration::from_millis(250));
            self.wire.clock.sleep(step);
            left -= step;
        }
        self.pause()
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

enum Look {
    Dead(String, Option<u16>),
    Live(String),
    NoAnswer(String),
    /// No look is possible, now or later.
    Blind(String),
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

fn dry(item: &PlanItem) -> ItemReport {
    match &item.decision {
        Decision::Ready => ItemReport::of(item, Outcome::Planned, "would be revoked", None),
        Decision::AlreadyDead => ItemReport::of(item, Outcome::AlreadyDead, item.reason.as_str(), None),
        Decision::Manual(why) => ItemReport::of(item, Outcome::Manual, why.as_str(), None),
        Decision::Refused(why) => ItemReport::of(item, Outcome::Refused, why.as_str(), None),
    }
}
