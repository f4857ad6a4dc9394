//! Sends: one request for one key, or for a batch of one provider.

use super::*;

impl Apply<'_> {
    pub(super) fn send_all<'p>(
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
    pub(super) fn block(&self, item: &PlanItem) -> Option<(&Provider, &Revocation)> {
        let action = item.action.as_ref()?;
        let provider = self.providers.by_id(&action.provider)?;
        let revocation = provider.way(&action.kind)?;
        Some((provider, revocation))
    }

    /// Sends one request for one key, or for a batch of one provider.
    pub(super) fn send_one<'p>(
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

    pub(super) fn driver(&self, item: &PlanItem) -> Option<&Driver> {
        let by_driver = item.action.as_ref().is_some_and(|action| action.kind == "driver");
        if by_driver { self.operator.driver_for(&item.rule) } else { None }
    }

    /// The request itself, journalled before it goes out. The inner error is why nothing could be sent.
    pub(super) fn transmit(
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
                let admin = first.item.action.as_ref().is_some_and(|action| action.kind == "admin");
                let parts = if admin {
                    self.operator.with_credentials(provider, &first.parts)
                } else {
                    Ok(first.parts.clone())
                };
                parts
                    .and_then(|parts| {
                        Values::of(provider, first.subject().credential(provider), &parts, base)
                            .map_err(|error| error.to_string())
                    })
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
    pub(super) fn settle<'p>(
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
}
