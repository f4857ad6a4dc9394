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
            pub const fn literals(self) -> &'static [&'static [u8]] {
                match self {
                    $(Self::$variant => $literals,)*
                }
            }
        }
    };
}

formats! {
    /// `-----BEGIN LABEL-----` … `-----END LABEL-----`; labels from the rule.
    Pem = "pem", &[b"-----begin "];
    /// PuTTY private key file (`.ppk`), version 1 to 3.
    Putty = "putty", &[b"putty-user-k"];
    /// OpenPGP private key block.
    Pgp = "pgp", &[b"begin pgp pr"];
    /// `scheme://user:password@host`; schemes from the rule, `*` for any.
    UriUserinfo = "uri-userinfo", &[b"://"];
    /// `Password=…` among other keys of an ADO, ODBC, JDBC or libpq connection string.
    ConnectionString = "connection-string", &[b"password=", b"password =", b"pwd=", b"pwd ="];
    /// `machine HOST login USER password PASSWORD`.
    Netrc = "netrc", &[b"machine ", b"machine\t", b"default logi"];
    /// `"auth": "base64(user:password)"` of container registries.
    DockerAuth = "docker-auth", &[b"\"auth\"", b"\"auth\\\""];
    /// `Basic base64(user:password)`.
    BasicAuthHeader = "basic-auth-header", &[b"basic "];
    /// `Bearer TOKEN`, and `Authorization` with one of the rarer scheme words.
    BearerHeader = "bearer-header", &[b"bearer ", b"authorizatio"];
    /// `curl -u user:password`.
    CurlUser = "curl-user", &[b"curl "];
    /// `IDENTIFIED BY '…'`, `CREATE USER … PASSWORD '…'`.
    SqlPassword = "sql-password", &[
        b"identified b", b"identified w", b"password '", b"password \"", b"password='", b"password =",
        b"password=n'", b"password('",
    ];
    /// `?token=…`, `&api_key=…` and their like in a URL.
    UrlQuery = "url-query", &[
        b"?key=", b"&key=", b"?api_key=", b"&api_key=", b"?apikey=", b"&apikey=", b"?token=", b"&token=",
        b"?access_toke", b"&access_toke", b"?auth_token=", b"&auth_token=", b"?private_tok", b"&private_tok",
        b"?access_key=", b"&access_key=", b"?secret=", b"&secret=", b"?client_secr", b"&client_secr",
        b"?sig=", b"&sig=", b"?password=", b"&password=", b"?passwd=", b"&passwd=", b"?pwd=", b"&pwd=",
    ];
    /// `mysqli_connect("host", "user", "password")` and other calls that take it by position.
    LoginCall = "login-call", &[
        b"mysqli_conne", b"mysqli_real_", b"mysql_connec", b"mysql_pconne", b"new mysqli(", b"new pdo(",
        b"getconnectio", b"basicauth(", b".login(", b"auth=(", b"networkcrede", b"passwordauth", b"usernamepass",
        b"plainauth(",
    ];
    /// PKCS#12, Java key stores, KeePass databases, GnuPG key files and keys in DER, by how content begins;
    /// labels say which.
    KeyStore = "key-store", &[
        b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce", b"\x03\xd9\xa2\x9a",
        // Object identifiers: data, rsaEncryption, ecPublicKey, Ed25519 and its kin. Some of their bytes are
        // letters, written in lower case.
        b"\x06\x09\x2a\x86h\x86\xf7\x0d\x01\x07\x01", b"\x06\x09\x2a\x86h\x86\xf7\x0d\x01\x01\x01",
        b"\x06\x07\x2a\x86h\xce\x3d\x02\x01", b"\x06\x03\x2be",
        // The public exponent of an RSA key before the private one; the curve behind a SEC1 key.
        b"\x02\x03\x01\x00\x01\x02", b"\xa0\x0a\x06\x08\x2a\x86h\xce\x3d\x03\x01\x07", b"\xa0\x07\x06\x05\x2b\x81\x04\x00",
        b"(11:private-", b"(21:protecte", b"(private-key", b"(protected-p",
    ];
    /// A password column in `INSERT INTO …`.
    SqlInsert = "sql-insert", &[b"insert into "];
    /// `---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----`.
    Ssh2 = "ssh2", &[b"begin ssh2 e"];
}

impl Format {
    /// Whether rules of this format need `labels`.
    #[must_use]
    pub const fn takes_labels(self) -> bool {
        matches!(self, Self::Pem | Self::UriUserinfo | Self::KeyStore)
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
        assert_eq!(Format::ALL.len(), 16);
        assert_eq!(Format::from_name("PEM"), None);
    }

    #[test]
    fn literals_are_short_lower_case_and_not_prefixes_of_each_other() {
        for &format in Format::ALL {
            for (i, literal) in format.literals().iter().enumerate() {
                assert!((3..=12).contains(&literal.len()), "{literal:?}");
                assert!(!literal.iter().any(u8::is_ascii_uppercase), "{literal:?}");
                for other in &format.literals()[i + 1..] {
                    assert!(
                        !literal.starts_with(other) && !other.starts_with(literal),
                        "{literal:?} {other:?}"
                    );
                }
            }
        }
    }
}
