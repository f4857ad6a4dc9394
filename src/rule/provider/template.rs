//! Templates, parsed at load and typed by position.
//!
//! A template never becomes text before its values are encoded for the place they stand in:
//! a path segment is percent-encoded, a JSON string goes through the serializer, a header with a
//! line break is refused. The host part of a URL takes no variables at all.

/// What a template may name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Variable {
    /// `{secret}`: the leaked value.
    Secret,
    /// `{secrets[]}`: all of a batch; JSON only.
    Secrets,
    /// `{f.name}`: a top-level string of a JSON credential.
    Field(String),
    /// `{auth.assertion}`: the signed JWT.
    Assertion,
    /// `{auth.token}`: the access token an earlier step fetched.
    Token,
    /// `{name}`: a group of `split`, a part, or a value taken by an earlier step.
    Named(String),
}

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Text as it stands.
    Literal(String),
    /// A value.
    Variable(Variable),
}

/// Text with variables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template(pub Vec<Piece>);

impl Template {
    /// Parses `text`; `{{` and `}}` stand for braces.
    ///
    /// # Errors
    ///
    /// An unclosed brace or an unknown form of variable, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            literal.push_str(before);
            if let Some(after) = from.strip_prefix("{{") {
                literal.push('{');
                rest = after;
            } else if let Some(after) = from.strip_prefix("}}") {
                literal.push('}');
                rest = after;
            } else if let Some(inner) = from.strip_prefix('{') {
                let (name, after) =
                    inner.split_once('}').ok_or_else(|| format!("`{text}` has an unclosed brace"))?;
                if !literal.is_empty() {
                    pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                }
                pieces.push(Piece::Variable(variable(name)?));
                rest = after;
            } else {
                return Err(format!("`{text}` has a closing brace without an opening one"));
            }
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        Ok(Self(pieces))
    }

    /// The variables in it.
    pub fn variables(&self) -> impl Iterator<Item = &Variable> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Variable(variable) => Some(variable),
            Piece::Literal(_) => None,
        })
    }

    /// The text if it has no variables.
    #[must_use]
    pub fn as_literal(&self) -> Option<String> {
        self.0
            .iter()
            .map(|piece| match piece {
                Piece::Literal(text) => Some(text.as_str()),
                Piece::Variable(_) => None,
            })
            .collect()
    }
}

impl std::fmt::Display for Template {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|piece| match piece {
            Piece::Literal(text) => f.write_str(text),
            Piece::Variable(variable) => write!(f, "{variable}"),
        })
    }
}

impl std::fmt::Display for Variable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Secret => f.write_str("{secret}"),
            Self::Secrets => f.write_str("{secrets[]}"),
            Self::Field(name) => write!(f, "{{f.{name}}}"),
            Self::Assertion => f.write_str("{auth.assertion}"),
            Self::Token => f.write_str("{auth.token}"),
            Self::Named(name) => write!(f, "{{{name}}}"),
        }
    }
}

fn variable(name: &str) -> Result<Variable, String> {
    let is_name = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    match name {
        "secret" => Ok(Variable::Secret),
        "secrets[]" => Ok(Variable::Secrets),
        "auth.assertion" => Ok(Variable::Assertion),
        "auth.token" => Ok(Variable::Token),
        _ => match name.strip_prefix("f.") {
            Some(field) if is_name(field) => Ok(Variable::Field(field.to_owned())),
            None if is_name(name) => Ok(Variable::Named(name.to_owned())),
            _ => Err(format!("`{{{name}}}` is no variable: write {{secret}}, {{f.name}} or {{name}}")),
        },
    }
}

/// Scheme and host of a URL. No variable ever stands here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `https://` this host, port 443.
    Host(String),
    /// `{base}`: the built-in default, or the operator's address.
    Base,
}

/// A URL with typed positions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UrlTemplate {
    /// Scheme and host.
    pub origin: Origin,
    /// Path segments, percent-encoded when rendered.
    pub path: Vec<Template>,
    /// Query pairs, form-encoded when rendered.
    pub query: Vec<(String, Template)>,
}

impl UrlTemplate {
    /// Parses `https://host/a/{b}?c={d}` or `{base}/a/{b}`.
    ///
    /// # Errors
    ///
    /// Another scheme, a port, user information, a fragment, a variable in the host, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (origin, rest) = if let Some(rest) = text.strip_prefix("{base}") {
            (Origin::Base, rest)
        } else {
            let after = text
                .strip_prefix("https://")
                .ok_or_else(|| format!("`{text}` does not start with https://"))?;
            let end = after.find(['/', '?', '#']).unwrap_or(after.len());
            let (host, rest) = after.split_at(end);
            check_host(host)?;
            (Origin::Host(host.to_owned()), rest)
        };
        if rest.contains('#') {
            return Err(format!("`{text}` has a fragment"));
        }
        let (path, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
        let path = match path.strip_prefix('/') {
            None if path.is_empty() => Vec::new(),
            None => return Err(format!("the path of `{text}` does not start with a slash")),
            Some(path) => path.split('/').map(Template::parse).collect::<Result<_, _>>()?,
        };
        let query = query.map_or(Ok(Vec::new()), |query| {
            query
                .split('&')
                .map(|pair| {
                    let (key, value) =
                        pair.split_once('=').ok_or_else(|| format!("`{pair}` is no key=value"))?;
                    if key.contains('{') {
                        return Err(format!("`{pair}` has a variable in its key"));
                    }
                    Ok((key.to_owned(), Template::parse(value)?))
                })
                .collect()
        })?;
        Ok(Self { origin, path, query })
    }

    /// All variables in path and query.
    pub fn variables(&self) -> impl Iterator<Item = &Variable> {
        self.path.iter().chain(self.query.iter().map(|(_, value)| value)).flat_map(Template::variables)
    }

    /// Path with its variables unfilled: safe to show.
    #[must_use]
    pub fn path_template(&self) -> String {
        let mut text: String = self.path.iter().map(|segment| format!("/{segment}")).collect();
        if text.is_empty() {
            text.push('/');
        }
        text
    }
}

/// A plain DNS name in lower case, no port, no user information, not an address.
pub(super) fn check_host(host: &str) -> Result<(), String> {
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    let named = host.contains('.') && host.split('.').all(label);
    let numeric = host.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
    if named && !numeric { Ok(()) } else { Err(format!("`{host}` is not a plain lower-case host name")) }
}

/// A JSON body with templates for strings.
#[derive(Clone, Debug, PartialEq)]
pub enum JsonTemplate {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A number.
    Float(f64),
    /// A string.
    Text(Template),
    /// All secrets of a batch as an array of strings.
    Secrets,
    /// A list.
    Array(Vec<JsonTemplate>),
    /// An object.
    Object(Vec<(String, JsonTemplate)>),
}

impl JsonTemplate {
    /// Takes a TOML value.
    ///
    /// # Errors
    ///
    /// A date, or a bad template, in words.
    pub fn from_toml(value: &toml::Value) -> Result<Self, String> {
        Ok(match value {
            toml::Value::Boolean(value) => Self::Bool(*value),
            toml::Value::Integer(value) => Self::Integer(*value),
            toml::Value::Float(value) => Self::Float(*value),
            toml::Value::String(text) => match Template::parse(text)? {
                Template(pieces) if pieces == [Piece::Variable(Variable::Secrets)] => Self::Secrets,
                template => Self::Text(template),
            },
            toml::Value::Array(items) => {
                Self::Array(items.iter().map(Self::from_toml).collect::<Result<_, _>>()?)
            }
            toml::Value::Table(table) => Self::Object(
                table
                    .iter()
                    .map(|(key, value)| Ok((key.clone(), Self::from_toml(value)?)))
                    .collect::<Result<_, String>>()?,
            ),
            toml::Value::Datetime(_) => return Err("a date is no JSON value".to_owned()),
        })
    }

    /// All variables in it, in order.
    #[must_use]
    pub fn variables(&self) -> Vec<&Variable> {
        match self {
            Self::Bool(_) | Self::Integer(_) | Self::Float(_) => Vec::new(),
            Self::Text(template) => template.variables().collect(),
            Self::Secrets => vec![&Variable::Secrets],
            Self::Array(items) => items.iter().flat_map(Self::variables).collect(),
            Self::Object(members) => members.iter().flat_map(|(_, value)| value.variables()).collect(),
        }
    }
}
