//! Proves: looks at what was sent until it is dead or its time is up.

use super::*;

impl Apply<'_> {
    /// Looks at all that was sent until each is dead or its deadline has passed.
    pub(super) fn prove_all(&self, run: &mut Run<'_>, mut sent: Vec<Sent<'_>>) -> Result<(), Halt> {
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

    pub(super) fn deadline(&self, item: &PlanItem) -> u64 {
        item.action.as_ref().map_or(0, |action| action.propagation)
    }

    /// One look at a key that was sent.
    pub(super) fn look(&self, run: &mut Run<'_>, key: &Sent<'_>) -> Result<Look, Halt> {
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
        } else if let Some((provider, _)) = self.block(item) {
            // The very installation it was live at; others have never known it.
            self.validator.check_at(provider, &subject)
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
                // It was live minutes ago, so what else this answer may mean for a key nobody knows is ruled out.
                let status =
                    evidence.status.map_or_else(|| checked.reason.clone(), |s| format!("status {s}"));
                Look::Dead(format!("found dead: {status}"), evidence.status)
            }
            Validation::Live(_) => Look::Live("still live".to_owned()),
            Validation::Unknown(reason) => Look::NoAnswer(format!("no proof: {reason}")),
            Validation::NotAttempted => Look::Blind(format!("no proof is possible: {}", checked.reason)),
        })
    }

    pub(super) fn look_once(&self, run: &mut Run<'_>, item: &PlanItem) -> Result<(), Halt> {
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
}

/// What one look says.
pub(super) enum Look {
    Dead(String, Option<u16>),
    Live(String),
    NoAnswer(String),
    /// No look is possible, now or later.
    Blind(String),
}
