//! Makes plans: asks each provider whether the key is live, and decides what may be done to it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};

use sha2::{Digest, Sha256};

use crate::finding::{Finding, Fingerprint, Secret, Validation};
use crate::rule::provider::{Class, Origin, Provider, Revocation};
use crate::validate::{Checked, Driver, Operator, Providers, Subject, Validator, admit};

use super::plan::{Decision, Plan, PlanItem, PlanPart, PlannedAction, PlannedRequest};
use super::{Place, SecretSource, driver};

/// How long a plan is good for, in seconds: as long as a verdict.
const LIFETIME: i64 = 15 * 60;
/// Places kept for a key; one is enough to read it again, the rest tells where it is used.
const MOST_PLACES: usize = 20;

/// What is asked of a plan.
#[derive(Clone, Debug, Default)]
pub struct PlanOptions {
    /// Only these rules or fingerprints; empty is all.
    pub only: BTreeSet<String>,
    /// The final way where there is a choice (`delete`), not the reversible one.
    pub delete: bool,
    /// An administrator's way, where the block has one.
    pub admin: bool,
    /// Nobody will look at it before it is applied.
    pub unattended: bool,
    /// Why the secret of a finding could not be read, by fingerprint and rule; its secret is not looked at.
    pub unread: BTreeMap<(String, String), String>,
}

/// Makes plans under one set of providers and one operator's file.
pub struct Planner<'a> {
    /// Provider blocks in force.
    pub providers: &'a Providers,
    /// The operator's file.
    pub operator: &'a Operator,
    /// Asks providers.
    pub validator: &'a Validator<'a>,
    /// Reads places again, for credentials of which a finding holds only a part; may be left out.
    pub source: Option<&'a dyn SecretSource>,
    /// Set by a signal: no provider is asked any more, and the plan is not worth keeping.
    pub cancel: &'a AtomicBool,
}

impl Planner<'_> {
    /// Plans for `findings` found under `rules` (their hash), now. Read-only requests alone are sent.
    #[must_use]
    pub fn plan(&self, findings: &[Finding], rules: &str, now: i64, options: &PlanOptions) -> Plan {
        let wanted =
            findings.iter().filter(|finding| finding.disposition.is_new() && chosen(finding, options));
        let mut items: Vec<PlanItem> = wanted.map(|finding| self.item(finding, findings, options)).collect();
        // One secret found by two rules is one key: it gets one request.
        let mut seen = BTreeSet::new();
        items.retain(|item| {
            let target = item.action.as_ref().map_or(&item.rule, |action| &action.provider);
            seen.insert((item.fingerprint.clone(), target.clone()))
        });
        Plan::new(rules, now, LIFETIME, options.unattended, items)
    }

    fn item(&self, finding: &Finding, all: &[Finding], options: &PlanOptions) -> PlanItem {
        let mut subject = Subject::of(finding, all);
        let rule = &finding.rule.id;
        let key = (finding.fingerprint.as_str().to_owned(), rule.clone());
        let unread = options.unread.get(&key);
        let checked = match unread {
            Some(reason) => Checked::unread(finding, reason),
            None if self.cancel.load(Ordering::Relaxed) => Checked::not_asked(finding, "interrupted"),
            None => {
                subject.document = self.source.and_then(|source| document(finding, self.providers, source));
                self.validator.check(&subject)
            }
        };
        // Of several installations of one provider, the one at which the key is live.
        let provider = checked.provider.as_deref().and_then(|id| self.providers.by_id(id));
        let provider = provider.or_else(|| self.providers.for_rule(rule));
        let action = match (self.operator.driver_for(rule), provider) {
            (Some(driver), _) => Some(driver_action(driver)),
            (None, Some(provider)) => self.provider_action(provider, options),
            (None, None) => None,
        };
        let mut item = PlanItem {
            id: short_id(rule, finding.fingerprint.as_str()),
            rule: rule.clone(),
            fingerprint: finding.fingerprint.as_str().to_owned(),
            redacted: finding.redacted.clone(),
            places: places(finding),
            more_places: finding.occurrences.len().saturating_sub(MOST_PLACES),
            parts: parts(finding, all),
            verdict: checked.word().to_owned(),
            reason: checked.reason.clone(),
            identity: identity(&checked),
            account: checked.account.clone(),
            action,
            decision: Decision::Ready,
            rotate: finding.rule.rotate.clone(),
        };
        item.decision = match unread {
            Some(reason) => Decision::Unread(reason.clone()),
            None => self.decide(&item, &subject, provider, &checked, options),
        };
        // Of all its places, not only of those the plan has room for.
        let vendored = || finding.occurrences.iter().any(|place| Place::of(place).is_vendored());
        if options.unattended && item.decision == Decision::Ready && vendored() {
            item.decision = Decision::Refused("unattended: it stands in other people's code".to_owned());
        }
        item
    }

    fn provider_action(&self, provider: &Provider, options: &PlanOptions) -> Option<PlannedAction> {
        let wanted =
            [(options.admin, "admin"), (options.delete, "delete"), (true, "revoke"), (true, "admin")];
        let mut ways = wanted.into_iter().filter(|(asked, _)| *asked);
        let (kind, revocation) = ways.find_map(|(_, kind)| Some((kind, provider.way(kind)?)))?;
        Some(PlannedAction {
            provider: provider.id.clone(),
            provider_digest: Providers::digest(provider),
            kind: kind.to_owned(),
            class: revocation.class.as_str().to_owned(),
            binding: revocation.binding.as_str().to_owned(),
            reversible: revocation.reversible,
            warning: revocation.warning.clone(),
            requests: self.requests(provider, revocation),
            propagation: revocation.propagation.as_secs(),
        })
    }

    fn requests(&self, provider: &Provider, revocation: &Revocation) -> Vec<PlannedRequest> {
        let base = provider.base.as_ref().and_then(|base| match self.operator.bases.get(&base.name) {
            Some(address) => Some(address.host.clone()),
            None => base.default.as_ref().map(|text| text.trim_start_matches("https://").to_owned()),
        });
        let line = |step: &crate::rule::provider::Step| PlannedRequest {
            method: step.request.method.as_str().to_owned(),
            host: match &step.request.url.origin {
                Origin::Host(host) => host.clone(),
                Origin::Base => base.clone().unwrap_or_else(|| "(no address known)".to_owned()),
            },
            path: step.request.url.path_template(),
        };
        revocation.steps.iter().map(line).collect()
    }

    fn decide(
        &self,
        item: &PlanItem,
        subject: &Subject<'_>,
        provider: Option<&Provider>,
        checked: &Checked,
        options: &PlanOptions,
    ) -> Decision {
        if matches!(checked.validation, Validation::Dead(_)) {
            return Decision::AlreadyDead;
        }
        if let Some(reason) = self.forbidden(item) {
            return Decision::Refused(reason);
        }
        let Some(action) = &item.action else {
            return Decision::Manual("no request is known that kills this key and no other".to_owned());
        };
        // The operator's own driver may take what no provider block serves; the vetoes hold all the same.
        let blank = Provider::nobody();
        if let Err(veto) = admit(subject, provider.unwrap_or(&blank), self.operator) {
            return Decision::Refused(veto.to_string());
        }
        if action.kind != "driver" {
            let named = |name: &str| self.operator.credentials.contains_key(name);
            let missing = provider.and_then(|provider| provider.operator_parts().find(|name| !named(name)));
            match missing.filter(|_| action.class == Class::Admin.as_str()) {
                Some(name) => {
                    return Decision::Manual(format!(
                        "an administrator's credential is needed: name `{name}` under [credentials] of the operator's file"
                    ));
                }
                None if action.class == Class::Admin.as_str() && !options.admin => {
                    return Decision::Manual("it takes an administrator: plan with --admin".to_owned());
                }
                None => {}
            }
            if provider.is_some_and(|provider| provider.validate.is_some())
                && !matches!(checked.validation, Validation::Live(_))
            {
                return Decision::Refused(format!("not proven live: {}", checked.reason));
            }
        }
        match options.unattended.then(|| self.unattended(item, action, checked)).flatten() {
            Some(reason) => Decision::Refused(format!("unattended: {reason}")),
            None => Decision::Ready,
        }
    }

    /// `never_revoke` of the operator's file.
    fn forbidden(&self, item: &PlanItem) -> Option<String> {
        let names =
            [Some(&item.fingerprint), Some(&item.rule), item.identity.as_ref(), item.account.as_ref()];
        let hit = names.into_iter().flatten().find(|name| self.operator.never_revoke.contains(*name))?;
        Some(format!("the operator's file says never_revoke {hit}"))
    }

    /// Why `item` must wait for a person, if it must.
    fn unattended(&self, item: &PlanItem, action: &PlannedAction, checked: &Checked) -> Option<String> {
        let policy = &self.operator.unattended;
        if !policy.enabled {
            return Some("the operator's file does not enable it".to_owned());
        }
        if !matches!(checked.validation, Validation::Live(_)) {
            return Some("not proven live".to_owned());
        }
        let own = action.kind == "driver" || !self.providers.is_builtin(&action.provider);
        if own && !policy.providers.contains(&action.provider) {
            return Some(format!(
                "{} is not built in, and not listed under unattended.providers",
                action.provider
            ));
        }
        if action.kind != "driver" {
            let provider = self.providers.by_id(&action.provider)?;
            let revocation = provider.way(&action.kind);
            if !revocation.is_some_and(|revocation| revocation.unattended && revocation.binding.is_safe()) {
                return Some("the provider block asks for a person".to_owned());
            }
        }
        if !action.reversible && !policy.irreversible.contains(&item.rule) {
            return Some(format!(
                "irreversible, and {} is not listed under unattended.irreversible",
                item.rule
            ));
        }
        None
    }
}

/// The JSON objects around the secrets of `findings`, for providers that read them, by fingerprint.
#[must_use]
pub fn documents(
    findings: &[Finding],
    providers: &Providers,
    source: &dyn SecretSource,
) -> HashMap<Fingerprint, Secret> {
    let found =
        |finding: &Finding| Some((finding.fingerprint.clone(), document(finding, providers, source)?));
    findings.iter().filter_map(found).collect()
}

/// The JSON object around the secret, if its provider reads one.
fn document(finding: &Finding, providers: &Providers, source: &dyn SecretSource) -> Option<Secret> {
    providers.for_rule(&finding.rule.id).filter(|provider| provider.parse_json)?;
    let places = places(finding);
    let found = places.iter().filter_map(|place| source.read(&finding.rule.id, place).ok()).flatten();
    found.into_iter().find(|found| found.secret == finding.secret)?.document
}

fn chosen(finding: &Finding, options: &PlanOptions) -> bool {
    options.only.is_empty()
        || options.only.contains(&finding.rule.id)
        || options.only.contains(finding.fingerprint.as_str())
        || options.only.contains(&short_id(&finding.rule.id, finding.fingerprint.as_str()))
}

fn driver_action(driver: &Driver) -> PlannedAction {
    PlannedAction {
        provider: driver.id.clone(),
        provider_digest: driver::digest(driver),
        kind: "driver".to_owned(),
        class: Class::Report.as_str().to_owned(),
        binding: "self".to_owned(),
        reversible: driver.reversible,
        warning: None,
        requests: driver::requests(driver),
        propagation: 60,
    }
}

fn identity(checked: &Checked) -> Option<String> {
    match &checked.validation {
        Validation::Live(evidence) | Validation::Dead(evidence) => evidence.identity.clone(),
        Validation::Unknown(_) | Validation::NotAttempted => None,
    }
}

/// All places, those in use first, at most [`MOST_PLACES`]; of every repository some, if there are several.
fn places(finding: &Finding) -> Vec<Place> {
    let mut counts: HashMap<(bool, Option<String>), usize> = HashMap::new();
    let mut ranked: Vec<(usize, Place)> = finding
        .occurrences
        .iter()
        .map(|occurrence| {
            let place = Place::of(occurrence);
            let rank = counts.entry((place.in_use, place.repository.clone())).or_default();
            *rank += 1;
            (*rank, place)
        })
        .collect();
    ranked.sort_by_key(|(rank, place)| (!place.in_use, *rank));
    ranked.truncate(MOST_PLACES);
    let mut places: Vec<Place> = ranked.into_iter().map(|(_, place)| place).collect();
    // Together again, in the order of the report.
    let named = |place: &Place| {
        finding.occurrences.iter().position(|one| one.repository.as_deref() == place.repository.as_deref())
    };
    places.sort_by_cached_key(|place| (!place.in_use, named(place)));
    places
}

fn parts(finding: &Finding, all: &[Finding]) -> Vec<PlanPart> {
    let companion = |print: &Fingerprint| all.iter().find(|other| other.fingerprint == *print);
    finding
        .companions
        .iter()
        .filter_map(companion)
        .map(|other| PlanPart {
            rule: other.rule.id.clone(),
            fingerprint: other.fingerprint.as_str().to_owned(),
            places: places(other),
        })
        .collect()
}

/// The short name of a key in plans: eight hexadecimal digits from rule and fingerprint.
#[must_use]
pub fn short_id(rule: &str, fingerprint: &str) -> String {
    let sum = Sha256::digest(format!("{rule} {fingerprint}").as_bytes());
    sum[..4].iter().map(|byte| format!("{byte:02x}")).collect()
}
