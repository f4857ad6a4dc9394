//! Hand-written verifiers for credentials that are text formats rather than tokens.
//!
//! Each is entered at a literal of [`Format::literals`] and decides from at most [`LEFT`] bytes
//! before and [`RIGHT`] bytes after its first byte: `verify` cuts that window out first, so
//! nothing else can change a result. All are linear in the window.

pub(super) mod armor;
mod connection;
mod curl;
mod docker;
mod header;
mod insert;
mod login;
mod netrc;
mod pem;
mod pgp;
mod putty;
mod query;
mod sql;
mod ssh2;
pub(super) mod store;
mod uri;
mod value;

use std::borrow::Cow;

use super::weak_password;
use crate::finding::{Confidence, Span};
use crate::rule::format::Format;

/// Most bytes before the trigger that a verifier sees.
pub const LEFT: usize = 2 * 1024;

/// Most bytes from the first byte of the trigger on that a verifier sees.
pub const RIGHT: usize = 24 * 1024;

/// What a verifier found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The whole match, trigger included.
    pub span: Span,
    /// The secret in it.
    pub secret: Span,
    /// Confidence from the value; `None` leaves the rule's own.
    pub confidence: Option<Confidence>,
    /// One step below the rule's own confidence, where `confidence` is `None`: the place is a
    /// documentation or loopback host.
    pub lowered: bool,
    /// The secret looks like a stand-in; `confidence` is then low.
    pub placeholder: bool,
}

impl Hit {
    /// A hit the rule's own confidence applies to.
    fn new(span: Span, secret: Span) -> Self {
        Self { span, secret, confidence: None, lowered: false, placeholder: false }
    }

    /// The confidence of this hit under a rule whose own is `rule`.
    #[must_use]
    pub fn confidence_under(&self, rule: Confidence) -> Confidence {
        match self.confidence {
            Some(confidence) => confidence.min(rule),
            None if self.lowered => rule.lowered(),
            None => rule,
        }
    }

    fn low(mut self) -> Self {
        self.confidence = Some(Confidence::Low);
        self
    }

    /// The hit as `verdict` on its secret makes it; `None` when the secret is none.
    fn judged(mut self, verdict: value::Verdict) -> Option<Self> {
        match verdict {
            value::Verdict::NoSecret => return None,
            value::Verdict::Placeholder => {
                self.placeholder = true;
                self.confidence = Some(Confidence::Low);
            }
            value::Verdict::Real => {}
        }
        Some(self)
    }

    /// The same for a password of its own place in a statement: one that people set although
    /// everybody knows it stays at medium, unless the host is one of documentation.
    fn judged_password(self, verdict: value::Verdict, password: &[u8]) -> Option<Self> {
        let mut hit = self.judged(verdict)?;
        if hit.placeholder && !hit.lowered && weak_password::is_in_use(password, false) {
            hit.confidence = Some(Confidence::Medium);
        }
        Some(hit)
    }

    fn shifted(mut self, by: usize) -> Self {
        for span in [&mut self.span, &mut self.secret] {
            *span = Span::new(span.start + by, span.end + by);
        }
        self
    }
}

/// Whether a credential of `format` stands where its literal starts, at `at`.
///
/// `labels` are the rule's: block labels for `pem`, schemes for `uri-userinfo`.
#[must_use]
pub fn verify(format: Format, labels: &[Cow<'static, str>], bytes: &[u8], at: usize) -> Option<Hit> {
    let from = at.saturating_sub(LEFT);
    let window = bytes.get(from..bytes.len().min(at.saturating_add(RIGHT)))?;
    let at = at - from;
    let hit = match format {
        Format::Pem => pem::verify(labels, window, at),
        Format::Putty => putty::verify(window, at),
        Format::Pgp => pgp::verify(window, at),
        Format::UriUserinfo => uri::verify(labels, window, at),
        Format::ConnectionString => connection::verify(window, at),
        Format::Netrc => netrc::verify(window, at),
        Format::DockerAuth => docker::verify(window, at),
        Format::BasicAuthHeader => header::basic(window, at),
        Format::BearerHeader => header::bearer(window, at),
        Format::CurlUser => curl::verify(window, at),
        Format::SqlPassword => sql::verify(window, at),
        Format::UrlQuery => query::verify(window, at),
        Format::LoginCall => login::verify(window, at),
        Format::KeyStore => store::verify(labels, window, at),
        Format::SqlInsert => insert::verify(window, at),
        Format::Ssh2 => ssh2::verify(window, at),
    }?;
    Some(hit.shifted(from))
}

/// Whether [`verify`] would find nothing at `at` whatever the rule's labels are; cheaper to ask
/// where many rules share a format.
pub(super) fn is_hopeless(format: Format, bytes: &[u8], at: usize) -> bool {
    format == Format::UriUserinfo && !uri::has_userinfo(bytes, at)
}

/// Whether `word` (lower case) starts at `at`, in any case.
fn word_at(bytes: &[u8], at: usize, word: &[u8]) -> bool {
    bytes.get(at..at + word.len()).is_some_and(|found| found.eq_ignore_ascii_case(word))
}

/// Number of bytes from `at` on, at most `most`, for which `accept` holds.
fn run(bytes: &[u8], at: usize, most: usize, accept: impl Fn(u8) -> bool) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    rest.iter().take(most).take_while(|&&b| accept(b)).count()
}

/// Number of blanks and tabs from `at` on, at most 16.
fn blanks(bytes: &[u8], at: usize) -> usize {
    run(bytes, at, 16, |b| matches!(b, b' ' | b'\t'))
}

/// Whether a word may start at `at`: no letter, digit or underscore before it.
fn at_word_start(bytes: &[u8], at: usize) -> bool {
    at == 0 || !(bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_')
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::rule::example::{Rng, expand};

    /// A filled template.
    pub(crate) fn text(template: &str) -> String {
        expand(template, &|_| String::new(), &mut Rng::seeded("format tests")).unwrap()
    }

    /// Hits of every trigger of `format` in `text`, found naively.
    pub(crate) fn hits(format: Format, labels: &[&'static str], text: &[u8]) -> Vec<Hit> {
        let labels: Vec<Cow<'static, str>> = labels.iter().map(|&l| Cow::Borrowed(l)).collect();
        let lower = text.to_ascii_lowercase();
        let starts = |at: &usize| format.literals().iter().any(|l| lower[*at..].starts_with(l));
        let hits: Vec<Hit> =
            (0..text.len()).filter(starts).filter_map(|at| verify(format, &labels, text, at)).collect();
        for hit in &hits {
            assert!(hit.span.contains(hit.secret) && hit.span.end <= text.len() && !hit.secret.is_empty());
        }
        hits
    }

    /// The secrets of the hits in `text`.
    pub(crate) fn secrets(format: Format, labels: &[&'static str], text: &str) -> Vec<String> {
        let hits = hits(format, labels, text.as_bytes());
        hits.iter().map(|hit| String::from_utf8_lossy(hit.secret.of(text.as_bytes())).into_owned()).collect()
    }

    /// Asserts one hit of the rule's own confidence with `secret`.
    pub(crate) fn finds(format: Format, labels: &[&'static str], text: &str, secret: &str) {
        assert_eq!(secrets(format, labels, text), [secret], "{text}");
        let hit = hits(format, labels, text.as_bytes())[0];
        assert_eq!((hit.confidence, hit.placeholder), (None, false), "{text}");
    }

    /// Asserts one hit that is marked as a placeholder.
    pub(crate) fn doubts(format: Format, labels: &[&'static str], text: &str) {
        let hits = hits(format, labels, text.as_bytes());
        assert_eq!(hits.len(), 1, "{text}");
        assert!(hits[0].placeholder && hits[0].confidence == Some(Confidence::Low), "{text}");
    }

    /// Asserts that there is no hit.
    pub(crate) fn ignores(format: Format, labels: &[&'static str], text: &str) {
        assert_eq!(secrets(format, labels, text), Vec::<String>::new(), "{text}");
    }

    fn labels_of(format: Format) -> &'static [&'static str] {
        match format {
            Format::Pem => &["PRIVATE KEY", "RSA PRIVATE KEY"],
            Format::UriUserinfo => &["*"],
            Format::KeyStore => &["jks", "gnupg"],
            Format::Putty
            | Format::Pgp
            | Format::ConnectionString
            | Format::Netrc
            | Format::DockerAuth
            | Format::BasicAuthHeader
            | Format::BearerHeader
            | Format::CurlUser
            | Format::SqlPassword
            | Format::UrlQuery
            | Format::LoginCall
            | Format::SqlInsert
            | Format::Ssh2 => &[],
        }
    }

    fn planted(format: Format) -> String {
        let template = match format {
            Format::Pem => "key = \"${pem:RSA PRIVATE KEY}\"",
            Format::Putty => {
                "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: c\nPublic-Lines: 1\n\
                 ${base64:64}\nPrivate-Lines: 1\n${base64:48}\nPrivate-MAC: ${lowerhex:64}\n"
            }
            Format::Pgp => "${pem:PGP PRIVATE KEY BLOCK}",
            Format::UriUserinfo => "url: https://deploy:${alnum:20}@git.acme.io/x",
            Format::ConnectionString => "Server=db1;User Id=app;Password=${alnum:16};Database=x",
            Format::Netrc => "machine git.acme.io login deploy password ${alnum:20}",
            Format::DockerAuth => "{\"auths\": {\"r.acme.io\": {\"auth\": \"${b64:deploy:${alnum:20}}\"}}}",
            Format::BasicAuthHeader => "Authorization: Basic ${b64:deploy:${alnum:20}}",
            Format::BearerHeader => "Authorization: Bearer ${alnum:40}",
            Format::CurlUser => "curl -s -u deploy:${alnum:20} https://git.acme.io",
            Format::SqlPassword => "CREATE USER 'app'@'%' IDENTIFIED BY '${alnum:20}';",
            Format::UrlQuery => "https://git.acme.io/x?page=1&token=${alnum:32}&y=2",
            Format::LoginCall => "$c = mysqli_connect('db.acme.io', 'acme', '${alnum:14}', 'shop');",
            Format::KeyStore => {
                "Key: (private-key (rsa (n #${upperhex:128}#)\n (e #010001#)(d #${upperhex:128}#)\n ))\n"
            }
            Format::SqlInsert => "INSERT INTO users (id, password) VALUES (1, '${alnum:16}');",
            Format::Ssh2 => {
                "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nP2/56wAA${base64:56}\n${base64:64}\n\
                 ---- END SSH2 ENCRYPTED PRIVATE KEY ----"
            }
        };
        text(template)
    }

    #[test]
    fn every_format_finds_its_plain_form_and_survives_cutting() {
        for &format in Format::ALL {
            let text = planted(format);
            assert_eq!(hits(format, labels_of(format), text.as_bytes()).len(), 1, "{format:?}");
            for end in 0..text.len() {
                let _ = hits(format, labels_of(format), &text.as_bytes()[..end]);
            }
            for start in (0..text.len()).step_by(7) {
                let _ = hits(format, labels_of(format), &text.as_bytes()[start..]);
            }
        }
    }

    #[test]
    fn a_hit_depends_on_its_window_alone() {
        for &format in Format::ALL {
            let text = planted(format);
            let alone = hits(format, labels_of(format), text.as_bytes());
            for filler in [b'\n', b' '] {
                let mut wrapped = vec![filler; LEFT + 500];
                wrapped.extend(text.bytes());
                wrapped.extend(vec![filler; RIGHT + 500]);
                let inside = hits(format, labels_of(format), &wrapped);
                let back: Vec<Span> = alone.iter().map(|h| h.shifted(LEFT + 500).secret).collect();
                assert_eq!(inside.iter().map(|h| h.secret).collect::<Vec<_>>(), back, "{format:?}");
            }
        }
    }

    /// Random text made of the formats' own words: no panic, spans in order.
    #[test]
    fn random_mixtures_are_survived() {
        let words = [
            "://",
            "@",
            ":",
            "a",
            "password=",
            "pwd=",
            ";",
            "Server=",
            "\n",
            "\"",
            "'",
            "\\n",
            "machine ",
            "login ",
            "password ",
            "\"auth\"",
            "Basic ",
            "Bearer ",
            "Authorization: ",
            "curl ",
            "-u ",
            "--user=",
            "IDENTIFIED BY ",
            "CREATE USER ",
            "PASSWORD '",
            "?token=",
            "&key=",
            "-----BEGIN PRIVATE KEY-----",
            "-----END PRIVATE KEY-----",
            "-----BEGIN PGP PRIVATE KEY BLOCK-----",
            "PuTTY-User-Key-File-2: ",
            "Private-Lines: 3\n",
            "MIIE",
            "=",
            "\u{e9}",
            "%4",
            "{",
            " ",
        ];
        for seed in 0..3000 {
            let mut rng = Rng::seeded(&seed.to_string());
            let text: String = (0..rng.below(40)).map(|_| words[rng.below(words.len())]).collect();
            for &format in Format::ALL {
                let _ = hits(format, labels_of(format), text.as_bytes());
            }
        }
    }

    /// One verification touches a bounded window: its time must not grow with the input.
    #[test]
    fn one_verification_is_bounded_on_hostile_input() {
        for &format in Format::ALL {
            for filler in
                ["a", "A=", " ", "\n", "\\", "\\n", "\"", "a:", "@", ";", "a=b ", "-u ", "x\n", "''", "%41"]
            {
                for literal in format.literals() {
                    let tail = filler.repeat(4_000_000 / filler.len());
                    let text = [b"aaaa", *literal, tail.as_bytes()].concat();
                    let labels: Vec<Cow<'static, str>> =
                        labels_of(format).iter().map(|&l| Cow::Borrowed(l)).collect();
                    let started = std::time::Instant::now();
                    let _ = verify(format, &labels, &text, 4);
                    assert!(started.elapsed().as_millis() < 500, "{format:?} {literal:?} {filler:?}");
                }
            }
        }
    }
}
