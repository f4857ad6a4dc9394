//! From the written form to the model: parses templates, words, durations and pointers.

use std::collections::BTreeMap;
use std::time::Duration;

use super::lint::{self, ProviderError};
use super::model::{
    Action, Auth, Base, BasicAuth, Batch, Binding, Body, Class, Condition, Expect, JwtBearer, Keep, KeepFrom,
    Limit, Method, OauthClient, Outcome, PartFrom, Provider, Request, Require, Revocation, SendClient,
    Signature, Signer, Split, Step, Take, TakeFrom, Word,
};
use super::schema::{
    ActionDef, BearerDef, ConditionDef, FindDef, OauthClientDef, OutcomeDef, PartDef, ProviderDef,
    RequestDef, RevokeDef, StatusDef, StepDef, TakeDef,
};
use super::template::{JsonTemplate, Piece, Template, UrlTemplate, Variable};

/// Collects problems with the place they stand in.
pub(super) struct Problems<'a> {
    provider: &'a str,
    found: Vec<ProviderError>,
}

impl<'a> Problems<'a> {
    pub(super) fn new(provider: &'a str) -> Self {
        Self { provider, found: Vec::new() }
    }

    pub(super) fn add(&mut self, place: &str, problem: impl Into<String>) {
        self.found.push(ProviderError::new(self.provider, place, &problem.into()));
    }

    fn ok<T>(&mut self, place: &str, result: Result<T, String>) -> Option<T> {
        result.map_err(|problem| self.add(place, problem)).ok()
    }

    fn template(&mut self, place: &str, text: &str) -> Template {
        self.ok(place, Template::parse(text)).unwrap_or_default()
    }

    pub(super) fn finish(self) -> Vec<ProviderError> {
        self.found
    }
}

/// Which words an action's outcomes may use.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Vocabulary {
    Validate,
    Revoke,
}

impl ProviderDef {
    /// Parses and lints the block.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, each with its place.
    pub fn check(&self) -> Result<Provider, Vec<ProviderError>> {
        let mut problems = Problems::new(&self.id);
        let provider = self.compile(&mut problems);
        lint::check(&provider, &mut problems);
        let found = problems.finish();
        if found.is_empty() { Ok(provider) } else { Err(found) }
    }

    fn compile(&self, problems: &mut Problems<'_>) -> Provider {
        if self.parse.as_deref().is_some_and(|form| form != "json") {
            problems.add("parse", "only `json` is known");
        }
        if self.canary_accounts.as_deref().is_some_and(|list| list != "builtin:aws") {
            problems.add("canary_accounts", "only `builtin:aws` is known");
        }
        if !["documentation", "sdk", "two-peers"].contains(&self.evidence.as_str()) {
            problems.add("evidence", "write `documentation`, `sdk` or `two-peers`");
        }
        Provider {
            id: self.id.clone(),
            rules: self.rules.clone(),
            sibling_of: self.sibling_of.clone(),
            hosts: self.hosts.clone(),
            base: self
                .base
                .as_ref()
                .map(|base| Base { default: base.default.clone(), name: base.name.clone() }),
            split: self.split.as_ref().map(|split| Split {
                pattern: split.re.clone(),
                groups: lint::group_names(&split.re, problems),
                public: split.public.clone(),
            }),
            parse_json: self.parse.is_some(),
            parts: self
                .parts
                .iter()
                .filter_map(|(name, def)| Some((name.clone(), part(name, def, problems)?)))
                .collect(),
            aws_canaries: self.canary_accounts.is_some(),
            signer: self.sign.as_ref().map(|sign| Signer {
                key: problems.template("sign.aws4.key", &sign.aws4.key),
                secret: problems.template("sign.aws4.secret", &sign.aws4.secret),
            }),
            auth: self.auth.as_ref().map(|auth| self.auth(auth, problems)),
            evidence: self.evidence.clone(),
            references: self.references.clone(),
            validate: self.validate.as_ref().map(|def| action("validate", def, problems)),
            revoke: self.revoke.as_ref().map(|def| revocation("revoke", def, problems)),
            delete: self.delete.as_ref().map(|def| revocation("delete", def, problems)),
            admin: self.admin.as_ref().map(|def| revocation("admin", def, problems)),
        }
        .allow_url_secrets(self.allow_secret_in_url, problems)
    }

    fn auth(&self, auth: &super::schema::AuthDef, problems: &mut Problems<'_>) -> Auth {
        let jwt = &auth.jwt_bearer;
        if jwt.alg != "RS256" {
            problems.add("auth.jwt_bearer.alg", "only RS256 is known");
        }
        Auth::JwtBearer(JwtBearer {
            key: problems.template("auth.jwt_bearer.key", &jwt.key),
            kid: jwt.kid.as_ref().map(|kid| problems.template("auth.jwt_bearer.kid", kid)),
            issuer: problems.template("auth.jwt_bearer.iss", &jwt.iss),
            audience: jwt.aud.clone(),
            scope: jwt.scope.clone(),
        })
    }
}

impl Provider {
    /// Refuses secrets in URLs unless the block says that the API leaves no other way.
    fn allow_url_secrets(self, allowed: bool, problems: &mut Problems<'_>) -> Self {
        if !allowed {
            for (place, step) in self.all_steps() {
                if let Some(variable) = step.request.url.variables().find(|variable| self.is_secret(variable))
                {
                    problems
                        .add(&place, format!("{variable} is secret and stands in the URL; servers log URLs"));
                }
            }
        }
        self
    }
}

fn part(name: &str, def: &PartDef, problems: &mut Problems<'_>) -> Option<PartFrom> {
    match def {
        PartDef::Own(text) if text == "{secret}" => Some(PartFrom::Own),
        PartDef::Own(_) => {
            problems.add(&format!("parts.{name}"), "write \"{secret}\" or { rule = \"…\" }");
            None
        }
        PartDef::Operator(part) => Some(PartFrom::Operator { name: part.operator.clone() }),
        PartDef::Near(near) => Some(PartFrom::Near { rule: near.rule.clone(), public: near.public }),
    }
}

fn action(place: &str, def: &ActionDef, problems: &mut Problems<'_>) -> Action {
    Action {
        steps: steps(place, def.request.as_ref(), &def.outcome, &def.step, Vocabulary::Validate, problems),
    }
}

fn revocation(place: &str, def: &RevokeDef, problems: &mut Problems<'_>) -> Revocation {
    let class = match def.class.as_str() {
        "self" => Class::OwnKey,
        "admin" => Class::Admin,
        "report" => Class::Report,
        other => {
            problems.add(place, format!("class `{other}` is not self, admin or report"));
            Class::Admin
        }
    };
    let binding = match def.binding.as_str() {
        "self" => Binding::OwnKey,
        "embed" => Binding::Embed,
        "intro" => Binding::Intro,
        "exact" => Binding::Exact,
        "part" => Binding::Part,
        "none" => Binding::None,
        other => {
            problems.add(place, format!("binding `{other}` is not self, embed, intro, exact, part or none"));
            Binding::None
        }
    };
    if def.require.as_ref().is_some_and(|require| require.keep != "scopes") {
        problems.add(place, "require.keep: only `scopes` is known");
    }
    Revocation {
        class,
        binding,
        reversible: def.reversible,
        idempotent: def.idempotent,
        unattended: def.unattended,
        propagation: problems.ok(place, duration(&def.propagation)).unwrap_or_default(),
        warning: def.warning.clone(),
        limit: def.limit.as_ref().and_then(|limit| {
            Some(Limit { per: problems.ok(place, duration(&limit.per))?, requests: limit.requests })
        }),
        batch: def.batch.as_ref().map(|batch| Batch { max: batch.max as usize }),
        require: def.require.as_ref().map(|require| Require { scope: require.contains.clone() }),
        steps: steps(place, def.request.as_ref(), &def.outcome, &def.step, Vocabulary::Revoke, problems),
        post: def.post.as_ref().map(|post| action(&format!("{place}.post"), post, problems)),
    }
}

fn steps(
    place: &str,
    request: Option<&RequestDef>,
    outcome: &[OutcomeDef],
    defs: &[StepDef],
    words: Vocabulary,
    problems: &mut Problems<'_>,
) -> Vec<Step> {
    match (request, defs) {
        (Some(def), []) => vec![Step {
            name: place.rsplit('.').next().unwrap_or(place).to_owned(),
            mutates: words == Vocabulary::Revoke,
            request: self::request(place, def, problems),
            need: Vec::new(),
            take: BTreeMap::new(),
            outcomes: outcomes(place, outcome, words, problems),
        }],
        (None, [_, ..]) => {
            if !outcome.is_empty() {
                problems.add(place, "outcome belongs to the steps here");
            }
            let mut all: Vec<Step> = defs
                .iter()
                .enumerate()
                .map(|(index, def)| step(place, index, def, words, problems))
                .collect();
            if let Some((_, earlier)) = all.split_last_mut() {
                earlier.iter_mut().for_each(needs_its_token);
            }
            all
        }
        _ => {
            problems.add(place, "needs either `request` or `step`");
            Vec::new()
        }
    }
}

fn step(place: &str, index: usize, def: &StepDef, words: Vocabulary, problems: &mut Problems<'_>) -> Step {
    let name = def.name.clone().unwrap_or_else(|| format!("step-{}", index + 1));
    let place = format!("{place}.{name}");
    Step {
        mutates: def.mutates,
        request: request(&place, &def.request, problems),
        need: def.need.iter().map(|need| condition(&place, need, problems)).collect(),
        take: def
            .take
            .iter()
            .filter_map(|(key, def)| Some((key.clone(), take(&place, def, problems)?)))
            .collect(),
        outcomes: outcomes(&place, &def.outcome, words, problems),
        name,
    }
}

/// A step that fetches a token goes on with a token alone: no block has to say that, or can say otherwise.
fn needs_its_token(step: &mut Step) {
    if step.request.oauth.is_some() && step.need.is_empty() {
        let token = ("/access_token".to_owned(), Expect::Any);
        step.need = vec![Condition { status: vec![200], json: vec![token], ..Condition::default() }];
    }
}

/// Which client a token is fetched for; the form says what is asked for.
fn oauth_client(place: &str, def: &OauthClientDef, problems: &mut Problems<'_>) -> OauthClient {
    let send = match def.send.as_str() {
        "basic" => SendClient::Basic,
        "post" => SendClient::Post,
        other => {
            problems.add(place, format!("oauth_client.send: `{other}` is not basic or post"));
            SendClient::Basic
        }
    };
    OauthClient { id: problems.template(place, &def.id), secret: problems.template(place, &def.secret), send }
}

fn request(place: &str, def: &RequestDef, problems: &mut Problems<'_>) -> Request {
    let method = match def.method.as_str() {
        "GET" => Method::Get,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "PATCH" => Method::Patch,
        "DELETE" => Method::Delete,
        other => {
            problems.add(place, format!("method `{other}` is not GET, POST, PUT, PATCH or DELETE"));
            Method::Get
        }
    };
    let url = problems.ok(place, UrlTemplate::parse(&def.url)).unwrap_or(UrlTemplate {
        origin: super::template::Origin::Base,
        path: Vec::new(),
        query: Vec::new(),
    });
    let body = match (&def.form, &def.json) {
        (None, None) => Body::Empty,
        (Some(form), None) => Body::Form(
            form.iter().map(|(key, value)| (key.clone(), problems.template(place, value))).collect(),
        ),
        (None, Some(json)) => {
            problems.ok(place, JsonTemplate::from_toml(json)).map_or(Body::Empty, Body::Json)
        }
        (Some(_), Some(_)) => {
            problems.add(place, "a request has either `form` or `json`");
            Body::Empty
        }
    };
    Request {
        method,
        url,
        headers: def
            .header
            .iter()
            .map(|(name, value)| (name.clone(), problems.template(place, value)))
            .collect(),
        bearer: def.bearer.as_ref().and_then(|bearer| match bearer {
            BearerDef::Secret(true) => Some(Template(vec![Piece::Variable(Variable::Secret)])),
            BearerDef::Secret(false) => None,
            BearerDef::Template(text) => Some(problems.template(place, text)),
        }),
        basic: def.basic.as_ref().map(|basic| BasicAuth {
            user: problems.template(place, &basic.user),
            pass: problems.template(place, &basic.pass),
        }),
        oauth: def.oauth_client.as_ref().map(|client| oauth_client(place, client, problems)),
        body,
        sign: def
            .sign
            .as_ref()
            .map(|sign| Signature { service: sign.service.clone(), region: sign.region.clone() }),
    }
}

fn outcomes(
    place: &str,
    defs: &[OutcomeDef],
    words: Vocabulary,
    problems: &mut Problems<'_>,
) -> Vec<Outcome> {
    defs.iter()
        .map(|def| {
            let when = ConditionDef {
                status: def.status.clone(),
                json: def.json.clone(),
                xml: def.xml.clone(),
                xml_code: def.xml_code.clone(),
                header: def.header.clone(),
            };
            Outcome {
                is: word(place, &def.is, words, problems),
                reason: def.reason.clone(),
                when: condition(place, &when, problems),
                keep: def.keep.iter().filter_map(|(name, from)| keep(place, name, from, problems)).collect(),
            }
        })
        .collect()
}

fn word(place: &str, text: &str, words: Vocabulary, problems: &mut Problems<'_>) -> Word {
    let word = match (words, text) {
        (_, "unknown") => Some(Word::Unknown),
        (Vocabulary::Validate, "live") => Some(Word::Live),
        (Vocabulary::Validate, "dead") => Some(Word::Dead),
        (Vocabulary::Validate, "restricted") => Some(Word::Restricted),
        (Vocabulary::Revoke, "accepted") => Some(Word::Accepted),
        (Vocabulary::Revoke, "already_dead") => Some(Word::AlreadyDead),
        (Vocabulary::Revoke, "not_authorised") => Some(Word::NotAuthorised),
        (Vocabulary::Revoke, "unsupported") => Some(Word::Unsupported),
        (Vocabulary::Revoke, "failed") => Some(Word::Failed),
        _ => None,
    };
    word.unwrap_or_else(|| {
        problems.add(place, format!("outcome `{text}` is not one of this action's words"));
        Word::Unknown
    })
}

fn keep(place: &str, name: &str, from: &str, problems: &mut Problems<'_>) -> Option<Keep> {
    if !["who", "account", "id", "scopes", "expires"].contains(&name) {
        problems.add(place, format!("keep.{name}: only who, account, id, scopes and expires are kept"));
        return None;
    }
    let from = if let Some(header) = from.strip_prefix("header:") {
        KeepFrom::Header(header.to_ascii_lowercase())
    } else if let Some(element) = from.strip_prefix("xml:") {
        KeepFrom::Xml(element.to_owned())
    } else {
        problems.ok(place, pointer(from))?;
        KeepFrom::Json(from.to_owned())
    };
    Some(Keep { name: name.to_owned(), from })
}

fn condition(place: &str, def: &ConditionDef, problems: &mut Problems<'_>) -> Condition {
    let status = match &def.status {
        None => Vec::new(),
        Some(StatusDef::One(one)) => vec![*one],
        Some(StatusDef::Many(many)) => many.clone(),
    };
    for key in def.json.keys() {
        problems.ok(place, pointer(key));
    }
    let mut expectations = |map: &BTreeMap<String, toml::Value>| -> Vec<(String, Expect)> {
        map.iter()
            .filter_map(|(key, value)| Some((key.clone(), problems.ok(place, expect(value))?)))
            .collect()
    };
    let mut condition = Condition {
        status,
        json: expectations(&def.json),
        xml: expectations(&def.xml),
        header: expectations(&def.header),
    };
    if let Some(code) = &def.xml_code {
        condition.xml.push(("Code".to_owned(), Expect::OneOf(vec![toml::Value::String(code.clone())])));
    }
    condition
}

fn expect(value: &toml::Value) -> Result<Expect, String> {
    let scalar = |value: &toml::Value| value.is_str() || value.is_integer() || value.is_bool();
    match value {
        toml::Value::String(text) if text == "*" => Ok(Expect::Any),
        toml::Value::Array(items) if !items.is_empty() && items.iter().all(scalar) => {
            Ok(Expect::OneOf(items.clone()))
        }
        value if scalar(value) => Ok(Expect::OneOf(vec![value.clone()])),
        toml::Value::String(_)
        | toml::Value::Integer(_)
        | toml::Value::Float(_)
        | toml::Value::Boolean(_)
        | toml::Value::Datetime(_)
        | toml::Value::Array(_)
        | toml::Value::Table(_) => {
            Err("an expected value is a string, a whole number, true, false, or a list of them".to_owned())
        }
    }
}

fn take(place: &str, def: &TakeDef, problems: &mut Problems<'_>) -> Option<Take> {
    let from = match (&def.json, &def.json_find) {
        (Some(at), None) => {
            problems.ok(place, pointer(at))?;
            TakeFrom::Json(at.clone())
        }
        (None, Some(find)) => find_in_list(place, find, problems)?,
        _ => {
            problems.add(place, "take needs either `json` or `json_find`");
            return None;
        }
    };
    Some(Take { from, pattern: def.pattern.clone() })
}

fn find_in_list(place: &str, def: &FindDef, problems: &mut Problems<'_>) -> Option<TakeFrom> {
    let Some(list) = def.list.strip_suffix("/*") else {
        problems.add(place, "json_find.in ends in `/*`");
        return None;
    };
    if !def.unique {
        problems.add(place, "json_find needs `unique = true`: the first of several is somebody else's key");
    }
    if def.filter.is_empty() {
        problems.add(place, "json_find needs `where`");
    }
    for at in [list, &def.get].into_iter().chain(def.filter.keys().map(String::as_str)) {
        problems.ok(place, pointer(at));
    }
    Some(TakeFrom::Find {
        list: list.to_owned(),
        filter: def.filter.iter().map(|(at, value)| (at.clone(), problems.template(place, value))).collect(),
        get: def.get.clone(),
    })
}

/// Checks a JSON pointer (RFC 6901): empty, or starts with a slash.
fn pointer(text: &str) -> Result<(), String> {
    if text.is_empty() || text.starts_with('/') {
        Ok(())
    } else {
        Err(format!("`{text}` is no JSON pointer"))
    }
}

/// Reads `10s`, `5m` or `1h`.
fn duration(text: &str) -> Result<Duration, String> {
    let bad = || format!("`{text}` is no duration: write 10s, 5m or 1h");
    let unit = text.chars().next_back().ok_or_else(bad)?;
    let number: u64 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| bad())?;
    match unit {
        's' => Ok(Duration::from_secs(number)),
        'm' => Ok(Duration::from_secs(number * 60)),
        'h' => Ok(Duration::from_secs(number * 3600)),
        _ => Err(bad()),
    }
}
