//! Names and triggers of the hand-written formats (rules of kind `block` and `uri`).
//!
//! Names and literals live here, so that `build.rs` can check rule files and build the trigger
//! tables; the verifiers are in `engine::format`.

macro_rules! formats {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $literals:expr;)*) => {
        /// A credential that is a piece of text format rather than a token.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Format {
            $($(#[$doc])* $variant,)*
        }

        impl Format {
            /// Every format, in the order of the documentation.
            pub const ALL: &'static [Format] = &[$(Self::$variant,)*];

            /// The format rule files call `name`, or `None`.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// The stable name used in rule files.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// The triggers: every match contains one of these, in any case.
            ///
            /// Lower case, 3 to 12 bytes; a longer word is cut to its first 12. No two of one
            /// format can start at the same byte and both lead to a match.
            #[must_use]
            pub const fn literals(self) -> &'static [&'static str] {
                match self {
                    $(Self::$variant => $literals,)*
                }
            }
        }
    };
}

formats! {
    /// `-----BEGIN LABEL-----` … `-----END LABEL-----`; labels from the rule.
    Pem = "pem", &["-----begin "];
    /// PuTTY private key file (`.ppk`), version 1 to 3.
    Putty = "putty", &["putty-user-k"];
    /// OpenPGP private key block.
    Pgp = "pgp", &["begin pgp pr"];
    /// `scheme://user:password@host`; schemes from the rule, `*` for any.
    UriUserinfo = "uri-userinfo", &["://"];
    /// `Password=…` among other keys of an ADO, ODBC, JDBC or libpq connection string.
    ConnectionString = "connection-string", &["password=", "password =", "pwd=", "pwd ="];
    /// `machine HOST login USER password PASSWORD`.
    Netrc = "netrc", &["machine ", "machine\t", "default logi"];
    /// `"auth": "base64(user:password)"` of container registries.
    DockerAuth = "docker-auth", &["\"auth\"", "\"auth\\\""];
    /// `Basic base64(user:password)`.
    BasicAuthHeader = "basic-auth-header", &["basic "];
    /// `Bearer TOKEN`, and `Authorization` with one of the rarer scheme words.
    BearerHeader = "bearer-header", &["bearer ", "authorizatio"];
    /// `curl -u user:password`.
    CurlUser = "curl-user", &["curl "];
    /// `IDENTIFIED BY '…'`, `CREATE USER … PASSWORD '…'`.
    SqlPassword = "sql-password", &[
        "identified b", "identified w", "password '", "password \"", "password='", "password =",
        "password=n'", "password('",
    ];
    /// `?token=…`, `&api_key=…` and their like in a URL.
    UrlQuery = "url-query", &[
        "?key=", "&key=", "?api_key=", "&api_key=", "?apikey=", "&apikey=", "?token=", "&token=",
        "?access_toke", "&access_toke", "?auth_token=", "&auth_token=", "?private_tok", "&private_tok",
        "?access_key=", "&access_key=", "?secret=", "&secret=", "?client_secr", "&client_secr",
        "?sig=", "&sig=", "?password=", "&password=", "?passwd=", "&passwd=", "?pwd=", "&pwd=",
    ];
    /// `mysqli_connect("host", "user", "password")` and other calls that take it by position.
    LoginCall = "login-call", &[
        "mysqli_conne", "mysqli_real_", "mysql_connec", "mysql_pconne", "new mysqli(", "new pdo(",
        "getconnectio", "basicauth(", ".login(", "auth=(", "networkcrede", "passwordauth", "usernamepass",
        "plainauth(",
    ];
}

impl Format {
    /// Whether rules of this format need `labels`.
    #[must_use]
    pub const fn takes_labels(self) -> bool {
        matches!(self, Self::Pem | Self::UriUserinfo)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for &format in Format::ALL {
            assert_eq!(Format::from_name(format.name()), Some(format));
        }
        assert_eq!(Format::ALL.len(), 13);
        assert_eq!(Format::from_name("PEM"), None);
    }

    #[test]
    fn literals_are_short_lower_case_and_not_prefixes_of_each_other() {
        for &format in Format::ALL {
            for (i, literal) in format.literals().iter().enumerate() {
                assert!((3..=12).contains(&literal.len()), "{literal}");
                assert!(!literal.bytes().any(|b| b.is_ascii_uppercase()), "{literal}");
                for other in &format.literals()[i + 1..] {
                    assert!(!literal.starts_with(other) && !other.starts_with(literal), "{literal} {other}");
                }
            }
        }
    }
}
