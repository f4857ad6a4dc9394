//! Reads a secret again and checks it before anything is sent.

use super::*;

impl Apply<'_> {
    /// Reads the secret and its parts again; reports `outcome` if that is not possible.
    pub(super) fn read_again<'p>(
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

    pub(super) fn work<'p>(&self, item: &'p PlanItem) -> Result<Work<'p>, String> {
        let rule =
            self.source.rule(&item.rule).ok_or_else(|| format!("there is no rule {} any more", item.rule))?;
        let (fingerprint, found) = self.find(&item.rule, &item.fingerprint, &item.places)?;
        let mut parts = Vec::new();
        for part in &item.parts {
            parts.push((part.rule.clone(), self.find(&part.rule, &part.fingerprint, &part.places)?.1.secret));
        }
        Ok(Work {
            item,
            rule,
            fingerprint,
            secret: found.secret,
            checksum: found.checksum,
            document: found.document,
            parts,
        })
    }

    /// The secret with this fingerprint, from the first place that still has it.
    pub(super) fn find(
        &self,
        rule: &str,
        fingerprint: &str,
        places: &[Place],
    ) -> Result<(Fingerprint, Found), String> {
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
    pub(super) fn precheck<'p>(
        &self,
        run: &mut Run<'_>,
        item: &'p PlanItem,
    ) -> Result<Option<Work<'p>>, Halt> {
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
    pub(super) fn stranger(&self, item: &PlanItem, checked: &Checked, evidence: &Evidence) -> Option<String> {
        let planned = self.block(item).map(|(provider, _)| &provider.id);
        if planned.is_some() && checked.provider.as_ref() != planned {
            return Some(
                "it is live at another installation than when it was planned; plan again".to_owned(),
            );
        }
        if item.identity.is_some() && item.identity != evidence.identity {
            return Some("it belongs to somebody else than when it was planned; plan again".to_owned());
        }
        let never = &self.operator.never_revoke;
        let names = [evidence.identity.as_ref(), checked.account.as_ref()];
        let hit = names.into_iter().flatten().find(|name| never.contains(*name))?;
        Some(format!("the operator's file says never_revoke {hit}"))
    }
}
