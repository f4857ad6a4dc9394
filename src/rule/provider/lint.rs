//! What a provider block must keep to before anything is sent by it.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use regex_syntax::hir::Hir;

use super::compile::Problems;
use super::model::{
    Action, Auth, Binding, Body, Class, Condition, JwtBearer, Method, PartFrom, Provider, Request,
    Revocation, Step, TakeFrom, Word,
};
use super::template::{Origin, Template, UrlTemplate, Variable, check_host};

mod client;

/// Longest post-check a block may ask for: npm documents one hour.
const LONGEST_PROPAGATION: Duration = Duration::from_secs(7200);
/// Longest value an answer may hand to the next request.
const LONGEST_TAKEN: usize = 4096;

/// What is wrong with a provider block, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderError {
    /// Id of the block; empty for the file as such.
    pub provider: String,
    /// Where in the block, for example `revoke.delete`.
    pub place: String,
    /// What is wrong.
    pub problem: String,
}

impl ProviderError {
    pub(super) fn new(provider: &str, place: &str, problem: &str) -> Self {
        Self { provider: provider.to_owned(), place: place.to_owned(), problem: problem.to_owned() }
    }

    pub(super) fn file(problem: &str) -> Self {
        Self::new("", "", problem)
    }
}

impl fmt::Display for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.provider.is_empty() {
            write!(f, "provider `{}`: ", self.provider)?;
        }
        if !self.place.is_empty() {
            write!(f, "{}: ", self.place)?;
        }
        f.write_str(&self.problem)
    }
}

impl std::error::Error for ProviderError {}

/// Adds everything that is wrong with `provider` to `problems`.
pub(super) fn check(provider: &Provider, problems: &mut Problems<'_>) {
    identity(provider, problems);
    hosts(provider, problems);
    parts(provider, problems);
    if let Some(validate) = &provider.validate {
        check_action(provider, "validate", validate, problems);
    }
    for (place, revocation) in provider.ways() {
        check_revocation(provider, place, revocation, problems);
        if (place == "admin") != (revocation.class == Class::Admin) {
            problems.add(place, "class `admin` and the way `admin` belong together");
        }
    }
    administrators(provider, problems);
    if provider.delete.is_some() && provider.revoke.as_ref().is_none_or(|revoke| !revoke.reversible) {
        problems.add("delete", "stands only beside a reversible `revoke`");
    }
}

/// The operator's own credentials are for `admin` alone, and go where the block's other requests go.
fn administrators(provider: &Provider, problems: &mut Problems<'_>) {
    if provider.admin.is_some() && provider.operator_parts().next().is_none() {
        problems.add("admin", "needs a part `{ operator = … }`: whose credential is it?");
    }
    let is_own = |variable: &&Variable| match variable {
        Variable::Named(name) => matches!(provider.parts.get(name), Some(PartFrom::Operator { .. })),
        Variable::Secret | Variable::Secrets | Variable::Field(_) | Variable::Assertion | Variable::Token => {
            false
        }
    };
    let others = provider.all_steps().into_iter().filter(|(place, _)| !place.starts_with("admin"));
    for (place, step) in others {
        if variables(&step.request).iter().any(is_own) {
            problems.add(&place, "the operator's own credentials are for `admin` alone");
        }
    }
}

fn identity(provider: &Provider, problems: &mut Problems<'_>) {
    if !is_kebab(&provider.id) {
        problems.add("id", "is not kebab-case");
    }
    if provider.rules.is_empty() || !provider.rules.iter().all(|rule| is_kebab(rule)) {
        problems.add("rules", "names at least one detection rule, each in kebab-case");
    }
    if provider.rules.iter().any(|rule| rule.starts_with("generic")) {
        problems
            .add("rules", "a generic finding may be another system's password and is never sent anywhere");
    }
    if provider.sibling_of.as_ref().is_some_and(|other| *other == provider.id || !is_kebab(other)) {
        problems.add("sibling_of", "names the block of another installation");
    }
    if provider.references.is_empty() {
        problems.add("references", "names the page that documents the requests");
    }
    if provider.validate.is_none() && provider.revoke.is_none() {
        problems.add("", "has neither `validate` nor `revoke`");
    }
}

fn hosts(provider: &Provider, problems: &mut Problems<'_>) {
    for host in &provider.hosts {
        if let Err(problem) = check_host(host) {
            problems.add("hosts", problem);
        }
    }
    if provider.hosts.is_empty() && provider.base.is_none() {
        problems.add("hosts", "is empty");
    }
    let Some(base) = &provider.base else { return };
    if !is_kebab(&base.name) {
        problems.add("base.override", "is not kebab-case");
    }
    let Some(default) = &base.default else { return };
    match UrlTemplate::parse(default) {
        Ok(UrlTemplate { origin: Origin::Host(host), path, query })
            if query.is_empty()
                && path.iter().all(|segment| segment.as_literal().is_some_and(|s| !s.is_empty())) =>
        {
            if !provider.hosts.contains(&host) {
                problems.add("base.default", format!("host {host} is not in `hosts`"));
            }
        }
        Ok(_) => problems.add("base.default", "is https://host or https://host/path, nothing more"),
        Err(problem) => problems.add("base.default", problem),
    }
}

fn parts(provider: &Provider, problems: &mut Problems<'_>) {
    if let Some(split) = &provider.split {
        for name in split.public.iter().filter(|name| !split.groups.contains(name)) {
            problems.add("split.public", format!("the expression has no group `{name}`"));
        }
    }
    if let Some(Auth::JwtBearer(JwtBearer { key, kid, issuer, audience, .. })) = &provider.auth {
        let early = Scope::start(provider);
        for template in [Some(key), kid.as_ref(), Some(issuer)].into_iter().flatten() {
            early.check("auth.jwt_bearer", template.variables(), problems);
        }
        if audience.contains(['{', '}']) {
            problems.add(
                "auth.jwt_bearer.aud",
                "is a constant: text in a leaked file must not choose the audience",
            );
        }
    }
    if let Some(signer) = &provider.signer {
        let early = Scope::start(provider);
        early.check("sign.aws4", signer.key.variables().chain(signer.secret.variables()), problems);
    }
}

fn check_action(provider: &Provider, place: &str, action: &Action, problems: &mut Problems<'_>) {
    check_steps(provider, place, &action.steps, problems);
    for step in &action.steps {
        if step.mutates {
            problems.add(place, "a check changes nothing: no step may say `mutates`");
        }
        for outcome in step.outcomes.iter().filter(|outcome| outcome.is == Word::Live) {
            live_needs_proof(place, &outcome.when, problems);
        }
    }
    let words: Vec<Word> =
        action.steps.iter().flat_map(|step| &step.outcomes).map(|outcome| outcome.is).collect();
    if !words.contains(&Word::Live) && !words.contains(&Word::Restricted) {
        problems.add(place, "no answer means live");
    }
    // Where another server's key looks the same, only a key found live here before can be found dead.
    let proven_later =
        provider.revoke.as_ref().is_some_and(|revoke| revoke.post.is_some()) && place == "validate";
    let proven_later = proven_later || client::is_guessed(provider, place, action, problems);
    if !words.contains(&Word::Dead) && !proven_later {
        problems.add(place, "no answer means dead");
    }
}

/// A captive portal answers everything with `200` and a page: status alone proves nothing.
fn live_needs_proof(place: &str, when: &Condition, problems: &mut Problems<'_>) {
    let bodyless = !when.status.is_empty() && when.status.iter().all(|status| *status == 204);
    if when.json.is_empty() && when.xml.is_empty() && when.header.is_empty() && !bodyless {
        problems.add(place, "`live` needs a json, xml or header condition beside the status");
    }
}

fn check_revocation(provider: &Provider, place: &str, revocation: &Revocation, problems: &mut Problems<'_>) {
    check_steps(provider, place, &revocation.steps, problems);
    let mutating = revocation.steps.iter().filter(|step| step.mutates).count();
    if mutating != 1 || !revocation.steps.last().is_some_and(|step| step.mutates) {
        problems.add(place, "exactly one step says `mutates`, and it is the last");
    }
    if !revocation.steps.iter().flat_map(|step| &step.outcomes).any(|outcome| outcome.is == Word::Accepted) {
        problems.add(place, "no answer means accepted");
    }
    if revocation.propagation.is_zero() || revocation.propagation > LONGEST_PROPAGATION {
        problems.add(place, "propagation is between 1s and 2h");
    }
    if revocation.limit.is_some_and(|limit| limit.requests == 0 || limit.per.is_zero()) {
        problems.add(place, "limit allows at least one request in a window longer than nothing");
    }
    let takes_many =
        revocation.steps.iter().any(|step| variables(&step.request).contains(&&Variable::Secrets));
    if takes_many != revocation.batch.is_some() {
        problems.add(place, "`batch` and {secrets[]} belong together");
    }
    if revocation.batch.is_some_and(|batch| batch.max == 0) || (takes_many && revocation.steps.len() != 1) {
        problems.add(place, "a batch has at least one place and exactly one request");
    }
    if let Some(post) = &revocation.post {
        check_action(provider, &format!("{place}.post"), post, problems);
    }
    if revocation.require.is_some() && provider.validate.is_none() {
        problems.add(place, "`require` needs a `validate` block");
    }
    if revocation.unattended && (provider.validate.is_none() || !revocation.binding.is_safe()) {
        problems.add(place, "unattended needs `validate` and binding self, embed, intro or exact");
    }
    check_binding(provider, place, revocation, problems);
}

/// Whether the last request really kills the key in the way `binding` claims.
fn check_binding(provider: &Provider, place: &str, revocation: &Revocation, problems: &mut Problems<'_>) {
    let Some(last) = revocation.steps.last() else { return };
    let used = variables(&last.request);
    let taken_by = |wanted: fn(&TakeFrom) -> bool| {
        revocation.steps.iter().any(|step| {
            step.take.iter().any(|(name, take)| {
                wanted(&take.from)
                    && used.iter().any(|variable| matches!(variable, Variable::Named(n) if n == name))
            })
        })
    };
    let carries_secret = |step: &Step| {
        step.request.sign.is_some()
            || variables(&step.request).iter().any(|variable| provider.is_secret(variable))
    };
    let earlier_with_secret = revocation.steps.iter().rev().skip(1).any(carries_secret);
    let bound = match revocation.binding {
        Binding::OwnKey => used.iter().any(|variable| match variable {
            Variable::Secret | Variable::Secrets => true,
            Variable::Named(name) => provider.split.as_ref().is_some_and(|split| split.groups.contains(name)),
            // What a token is fetched with outlives the token.
            Variable::Field(_) | Variable::Assertion | Variable::Token => false,
        }),
        Binding::Embed => used.iter().any(|variable| match variable {
            Variable::Field(_) => true,
            Variable::Named(name) => {
                provider.split.as_ref().is_some_and(|split| split.groups.contains(name))
                    || provider.parts.contains_key(name)
            }
            Variable::Secret | Variable::Secrets | Variable::Assertion | Variable::Token => false,
        }),
        Binding::Intro => taken_by(|from| matches!(from, TakeFrom::Json(_))) && earlier_with_secret,
        Binding::Exact => taken_by(|from| {
            matches!(from, TakeFrom::Find { filter, .. }
                    if filter.iter().any(|(_, value)| value.variables().any(|v| *v == Variable::Secret)))
        }),
        Binding::Part => taken_by(|from| matches!(from, TakeFrom::Find { .. })),
        Binding::None => true,
    };
    if !bound {
        let claim = revocation.binding.as_str();
        problems.add(place, format!("binding `{claim}` is claimed, but the last request is not bound so"));
    }
}

fn check_steps(provider: &Provider, place: &str, steps: &[Step], problems: &mut Problems<'_>) {
    if steps.len() > super::MAX_STEPS {
        problems.add(place, format!("has {} steps; at most {} are allowed", steps.len(), super::MAX_STEPS));
    }
    let mut scope = Scope::start(provider);
    for (index, step) in steps.iter().enumerate() {
        let place = if steps.len() > 1 { format!("{place}.{}", step.name) } else { place.to_owned() };
        check_step(provider, &place, step, &scope, problems);
        let last = index + 1 == steps.len();
        if last && (step.outcomes.is_empty() || !step.take.is_empty() || !step.need.is_empty()) {
            problems.add(&place, "the last step has `outcome`, and neither `need` nor `take`");
        }
        if !last && step.need.is_empty() {
            problems.add(&place, "a step before the last needs `need`");
        }
        if step.request.oauth.is_some() && scope.token {
            problems.add(&place, "fetches a second token; one is enough");
        }
        scope.token |= step.request.oauth.is_some();
        for (name, take) in &step.take {
            if !scope.names.insert(name.clone()) {
                problems.add(&place, format!("take.{name} hides another value of that name"));
            }
            check_pattern(&place, &take.pattern, problems);
        }
    }
}

fn check_step(provider: &Provider, place: &str, step: &Step, scope: &Scope, problems: &mut Problems<'_>) {
    let request = &step.request;
    match &request.url.origin {
        Origin::Host(host) if !provider.hosts.contains(host) => {
            problems.add(place, format!("host {host} is not in `hosts`"));
        }
        Origin::Base if provider.base.is_none() => {
            problems.add(place, "{base} is used, but there is no `base`")
        }
        Origin::Host(_) | Origin::Base => {}
    }
    scope.check(place, variables(request).into_iter(), problems);
    for take in step.take.values() {
        if let TakeFrom::Find { filter, .. } = &take.from {
            scope.check(place, filter.iter().flat_map(|(_, value)| value.variables()), problems);
        }
    }
    if !step.mutates && !matches!(request.method, Method::Get | Method::Post) {
        problems.add(
            place,
            format!("{} changes something, but the step does not say `mutates`", request.method.as_str()),
        );
    }
    if matches!(request.method, Method::Get) && !matches!(request.body, Body::Empty) {
        problems.add(place, "GET takes no body");
    }
    if request.sign.is_some() && provider.signer.is_none() {
        problems.add(place, "is signed, but the provider has no `sign`");
    }
    check_headers(place, request, problems);
    client::check(provider, place, step, problems);
    for condition in step.need.iter().chain(step.outcomes.iter().map(|outcome| &outcome.when)) {
        check_condition(place, condition, problems);
    }
}

fn check_headers(place: &str, request: &Request, problems: &mut Problems<'_>) {
    let mut authorising = usize::from(request.bearer.is_some()) + usize::from(request.basic.is_some());
    authorising += usize::from(request.sign.is_some()) + usize::from(request.oauth.is_some());
    for (name, value) in &request.headers {
        let token =
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if !token {
            problems.add(place, format!("`{name}` is no header name"));
        }
        let own = [
            "host",
            "content-length",
            "transfer-encoding",
            "connection",
            "cookie",
            "user-agent",
            "expect",
            "proxy-authorization",
        ];
        if own.contains(&name.to_ascii_lowercase().as_str()) {
            problems.add(place, format!("header {name} is set by the client alone"));
        }
        authorising += usize::from(name.eq_ignore_ascii_case("authorization"));
        let literal_break = |piece: &super::template::Piece| matches!(piece, super::template::Piece::Literal(text) if text.bytes().any(|b| b < 0x20 || b == 0x7f));
        if value.0.iter().any(literal_break) || value.variables().any(|v| *v == Variable::Secrets) {
            problems.add(place, format!("header {name} holds a control character or a list"));
        }
    }
    if authorising > 1 {
        problems.add(place, "authorises itself twice");
    }
}

fn check_condition(place: &str, condition: &Condition, problems: &mut Problems<'_>) {
    if condition.status.iter().any(|status| (300..400).contains(status)) {
        problems.add(place, "a redirect never means anything");
    }
    if condition.status.iter().any(|status| !(100..600).contains(status)) {
        problems.add(place, "a status has three digits");
    }
    if condition.status.is_empty()
        && condition.json.is_empty()
        && condition.xml.is_empty()
        && condition.header.is_empty()
    {
        problems.add(place, "an answer needs a condition");
    }
    if condition.status.is_empty() {
        problems.add(place, "a condition names the status");
    }
}

fn check_pattern(place: &str, pattern: &str, problems: &mut Problems<'_>) {
    match parse(pattern) {
        Err(problem) => problems.add(place, format!("match: {problem}")),
        Ok(hir) => {
            let properties = hir.properties();
            let least = properties.minimum_len().unwrap_or(0);
            if least == 0 || properties.maximum_len().is_none_or(|most| most > LONGEST_TAKEN) {
                problems.add(place, "match takes at least 1 and at most 4096 bytes");
            }
        }
    }
}

fn parse(pattern: &str) -> Result<Hir, String> {
    regex_syntax::ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .build()
        .parse(pattern)
        .map_err(|e| e.to_string())
}

/// Names of the groups in `pattern`; a problem if there is none or it does not parse.
pub(super) fn group_names(pattern: &str, problems: &mut Problems<'_>) -> Vec<String> {
    fn walk(hir: &Hir, names: &mut Vec<String>) {
        use regex_syntax::hir::HirKind;
        match hir.kind() {
            HirKind::Capture(capture) => {
                names.extend(capture.name.as_deref().map(str::to_owned));
                walk(&capture.sub, names);
            }
            HirKind::Repetition(repetition) => walk(&repetition.sub, names),
            HirKind::Concat(subs) | HirKind::Alternation(subs) => {
                subs.iter().for_each(|sub| walk(sub, names))
            }
            HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => {}
        }
    }
    let mut names = Vec::new();
    match parse(pattern) {
        Ok(hir) => walk(&hir, &mut names),
        Err(problem) => problems.add("split.re", problem),
    }
    if names.is_empty() {
        problems.add("split.re", "names no group");
    }
    names
}

/// Every variable in a request, in all positions.
fn variables(request: &Request) -> Vec<&Variable> {
    let mut all: Vec<&Variable> = request.url.variables().collect();
    let templates = request.headers.iter().map(|(_, value)| value).chain(&request.bearer);
    all.extend(templates.flat_map(Template::variables));
    all.extend(request.basic.iter().flat_map(|basic| basic.user.variables().chain(basic.pass.variables())));
    all.extend(request.oauth.iter().flat_map(|own| own.id.variables().chain(own.secret.variables())));
    match &request.body {
        Body::Empty => {}
        Body::Form(pairs) => all.extend(pairs.iter().flat_map(|(_, value)| value.variables())),
        Body::Json(json) => all.extend(json.variables()),
    }
    all
}

/// The names a template may use at some point.
struct Scope {
    names: BTreeSet<String>,
    fields: bool,
    assertion: bool,
    /// Whether an earlier step has fetched one.
    token: bool,
}

impl Scope {
    fn start(provider: &Provider) -> Self {
        let groups = provider.split.iter().flat_map(|split| split.groups.iter().cloned());
        Self {
            names: groups.chain(provider.parts.keys().cloned()).collect(),
            fields: provider.parse_json,
            assertion: provider.auth.is_some(),
            token: false,
        }
    }

    fn check<'v>(&self, place: &str, used: impl Iterator<Item = &'v Variable>, problems: &mut Problems<'_>) {
        for variable in used {
            let known = match variable {
                Variable::Secret | Variable::Secrets => true,
                Variable::Field(_) => self.fields,
                Variable::Assertion => self.assertion,
                Variable::Token => self.token,
                Variable::Named(name) => self.names.contains(name),
            };
            if !known {
                problems.add(place, format!("{variable} is not known here"));
            }
        }
    }
}

impl Provider {
    /// Whether the value of `variable` must not be shown or stand in a URL.
    pub(super) fn is_secret(&self, variable: &Variable) -> bool {
        match variable {
            Variable::Secret | Variable::Secrets | Variable::Assertion | Variable::Token => true,
            Variable::Field(name) => {
                !["project_id", "client_email", "private_key_id"].contains(&name.as_str())
            }
            Variable::Named(name) => {
                let group =
                    self.split.as_ref().is_some_and(|s| s.groups.contains(name) && !s.public.contains(name));
                let part = matches!(
                    self.parts.get(name),
                    Some(PartFrom::Near { public: false, .. } | PartFrom::Operator { .. })
                );
                group || part
            }
        }
    }

    /// All steps with the name of their place.
    pub(super) fn all_steps(&self) -> Vec<(String, &Step)> {
        let mut all = Vec::new();
        if let Some(validate) = &self.validate {
            all.extend(validate.steps.iter().map(|step| ("validate".to_owned(), step)));
        }
        for (place, revocation) in self.ways() {
            all.extend(revocation.steps.iter().map(|step| (place.to_owned(), step)));
            let post = revocation.post.iter().flat_map(|post| &post.steps);
            all.extend(post.map(|step| (format!("{place}.post"), step)));
        }
        all
    }
}

fn is_kebab(text: &str) -> bool {
    text.split('-')
        .all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()))
}
