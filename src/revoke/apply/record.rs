//! Writes down: journal, audit log, report; and the points at which a run can end.

use super::*;

impl Apply<'_> {
    pub(super) fn all_done(
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
    pub(super) fn done(
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

    pub(super) fn note(
        &self,
        run: &mut Run<'_>,
        item: &PlanItem,
        event: State,
        point: Point,
    ) -> Result<(), Halt> {
        run.journal.add(&item.id, self.wire.clock.now(), event)?;
        self.at(point)
    }

    pub(super) fn log(
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

    pub(super) fn at(&self, point: Point) -> Result<(), Halt> {
        if (self.cut)(point) { Err(Halt::Interrupted) } else { Ok(()) }
    }

    pub(super) fn pause(&self) -> Result<(), Halt> {
        if self.cancel.load(Ordering::Relaxed) { Err(Halt::Interrupted) } else { Ok(()) }
    }

    /// Waits in small steps, so that a signal is heard.
    pub(super) fn wait(&self, time: Duration) -> Result<(), Halt> {
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
