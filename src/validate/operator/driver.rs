//! Generic revokers for one's own keys, as the operator writes them.

use std::path::PathBuf;

use serde::Deserialize;

use crate::validate::Address;

/// A generic revoker: a `[[provider]]` block with a `driver` key.
#[derive(Clone, Debug)]
pub struct Driver {
    /// Kebab-case id.
    pub id: String,
    /// Detection rules it serves.
    pub rules: Vec<String>,
    /// What it does.
    pub kind: DriverKind,
    /// The answer `revoked` is proof enough, because the service is the operator's own.
    pub trust_answer: bool,
    /// The service can undo it.
    pub reversible: bool,
}

/// The kinds of generic revokers.
#[derive(Clone, Debug)]
pub enum DriverKind {
    /// Signed JSON to the operator's URL.
    Webhook {
        /// Where.
        url: Url,
        /// File with the HMAC key.
        hmac_key_file: PathBuf,
        /// The secret, or its fingerprint alone.
        send: Send,
    },
    /// GitLab's Token Revocation API.
    GitlabTra {
        /// Address of the service, without `/v1/…`.
        url: Url,
        /// File with the API token for `Authorization`.
        token_file: PathBuf,
        /// The service's name for this kind of token.
        token_type: String,
    },
    /// RFC 7009, proven by RFC 7662.
    Rfc7009 {
        /// `revocation_endpoint`.
        url: Url,
        /// `introspection_endpoint`.
        introspect: Option<Url>,
        /// `token_type_hint`.
        hint: Option<String>,
        /// Client authentication.
        auth: DriverAuth,
    },
    /// A command; the secret on its standard input.
    Exec {
        /// Program and arguments; no shell.
        argv: Vec<String>,
        /// Longest it may run, in seconds.
        timeout: u64,
    },
}

/// Client authentication of RFC 7009.
#[derive(Clone, Debug)]
pub enum DriverAuth {
    /// A public client.
    None,
    /// HTTP Basic.
    Basic {
        /// Client id.
        id: String,
        /// File with the client secret.
        secret_file: PathBuf,
    },
    /// An assertion signed with the client's own key (RFC 7523, `private_key_jwt`).
    PrivateKey {
        /// Client id.
        id: String,
        /// PKCS #8 RSA key in PEM.
        key_file: PathBuf,
        /// Id of the key, where the server wants one.
        kid: Option<String>,
    },
    /// In the form.
    Post {
        /// Client id.
        id: String,
        /// File with the client secret.
        secret_file: PathBuf,
    },
}

/// What a webhook is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Send {
    /// The secret itself.
    #[default]
    Secret,
    /// Its fingerprint; the service looks it up.
    Fingerprint,
}

/// An https address.
type Url = Address;

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Name {
    Webhook,
    GitlabTra,
    Rfc7009,
    Exec,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: String,
    rules: Vec<String>,
    driver: Name,
    url: Option<String>,
    hmac_key_file: Option<PathBuf>,
    #[serde(default)]
    send: Send,
    token_file: Option<PathBuf>,
    token_type: Option<String>,
    introspection_url: Option<String>,
    token_type_hint: Option<String>,
    client_id: Option<String>,
    client_secret_file: Option<PathBuf>,
    client_auth: Option<String>,
    client_key_file: Option<PathBuf>,
    client_key_id: Option<String>,
    argv: Option<Vec<String>>,
    timeout: Option<u64>,
    #[serde(default)]
    trust_answer: bool,
    #[serde(default)]
    reversible: bool,
}

impl Driver {
    /// Reads a block with a `driver` key.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words.
    pub fn from_table(table: &toml::Table) -> Result<Self, String> {
        let written: Written =
            table.clone().try_into().map_err(|error: toml::de::Error| error.message().to_owned())?;
        let place = |problem: String| format!("provider `{}`: {problem}", written.id);
        if written.rules.is_empty() {
            return Err(place("names no rule".to_owned()));
        }
        let kind = kind(&written).map_err(place)?;
        Ok(Self {
            id: written.id,
            rules: written.rules,
            kind,
            trust_answer: written.trust_answer,
            reversible: written.reversible,
        })
    }
}

fn need<T: Clone>(value: &Option<T>, key: &str) -> Result<T, String> {
    value.clone().ok_or_else(|| format!("needs `{key}`"))
}

fn kind(written: &Written) -> Result<DriverKind, String> {
    let url = || Address::parse(&need(&written.url, "url")?);
    Ok(match written.driver {
        Name::Webhook => DriverKind::Webhook {
            url: url()?,
            hmac_key_file: need(&written.hmac_key_file, "hmac_key_file")?,
            send: written.send,
        },
        Name::GitlabTra => DriverKind::GitlabTra {
            url: url()?,
            token_file: need(&written.token_file, "token_file")?,
            token_type: need(&written.token_type, "token_type")?,
        },
        Name::Rfc7009 => DriverKind::Rfc7009 {
            url: url()?,
            introspect: written.introspection_url.as_deref().map(Address::parse).transpose()?,
            hint: written.token_type_hint.clone(),
            auth: client(written)?,
        },
        Name::Exec => {
            let argv = need(&written.argv, "argv")?;
            if argv.first().is_none_or(|program| !std::path::Path::new(program).is_absolute()) {
                return Err("argv starts with the absolute path of the program".to_owned());
            }
            DriverKind::Exec { argv, timeout: written.timeout.unwrap_or(30) }
        }
    })
}

fn client(written: &Written) -> Result<DriverAuth, String> {
    match written.client_auth.as_deref() {
        None | Some("none") => Ok(DriverAuth::None),
        Some(style @ ("basic" | "post")) => {
            let id = need(&written.client_id, "client_id")?;
            let secret_file = need(&written.client_secret_file, "client_secret_file")?;
            Ok(if style == "basic" {
                DriverAuth::Basic { id, secret_file }
            } else {
                DriverAuth::Post { id, secret_file }
            })
        }
        Some("private_key_jwt") => Ok(DriverAuth::PrivateKey {
            id: need(&written.client_id, "client_id")?,
            key_file: need(&written.client_key_file, "client_key_file")?,
            kid: written.client_key_id.clone(),
        }),
        Some(other) => Err(format!("client_auth `{other}` is not none, basic, post or private_key_jwt")),
    }
}
