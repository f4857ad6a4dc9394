//! Names of the offline checks a rule may ask for.
//!
//! Only the names live here, so that `build.rs` can refuse a rule file with a wrong one;
//! the checks themselves are in `engine::checksum`.

macro_rules! algorithms {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// An offline check of a token's checksum or inner structure.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Algorithm {
            $($(#[$doc])* $variant,)*
        }

        impl Algorithm {
            /// Every algorithm, in the order of the documentation.
            pub const ALL: &'static [Algorithm] = &[$(Self::$variant,)*];

            /// The algorithm rule files call `name`, or `None`.
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
        }
    };
}

algorithms! {
    /// Six base62 digits at the end: CRC-32 of what stands between them and the first `_`.
    GithubCrc32 = "github-crc32",
    /// Seven base36 digits at the end: CRC-32 of everything before them (routable tokens).
    GitlabRoutable = "gitlab-routable",
    /// Eight upper-case hex digits after `=`: CRC-32 of everything before them.
    AtlassianCrc32 = "atlassian-crc32",
    /// Eight hex digits after the last `_`: CRC-32, little-endian, of everything before that `_`.
    GrafanaCrc32 = "grafana-crc32",
    /// Eight hex digits at the end: apparently the CRC-32 of the 40 characters before them.
    CloudflareCrc32 = "cloudflare-crc32",
    /// Eight hex digits after the last `_`: CRC-32 of the part between the two `_`.
    ZuploCrc32 = "zuplo-crc32",
    /// Access key id: base32 that holds a possible account number.
    AwsKeyId = "aws-key-id",
    /// JSON Web Token: header with an algorithm, a payload, a signature of the right length.
    Jwt = "jwt",
    /// PEM or OpenPGP block whose content has the outer structure its kind requires.
    Pem = "pem",
    /// Bech32 checksum, as age identities carry.
    Bech32Age = "bech32-age",
    /// Base32 seed with a CRC-16, as NATS nkeys carry.
    NatsNkey = "nats-nkey",
    /// Base58 with four bytes of a double SHA-256 at the end.
    Base58check = "base58check",
    /// Base32 seed of a one-time password.
    Base32Otp = "base32-otp",
    /// Base64 macaroon, version 2, after a prefix with `-`.
    PypiMacaroon = "pypi-macaroon",
    /// `sntrys_`, base64 JSON that names the server, `_`, 43 characters.
    SentryToken = "sentry-token",
    /// Base64 of a user number, `.`, time, `.`, signature.
    DiscordBot = "discord-bot",
    /// Azure key with fixed signature and a Marvin32 checksum.
    AzureCask = "azure-cask",
    /// Google service account key file: fields and private key belong together.
    GoogleServiceAccount = "google-service-account",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_are_distinct() {
        for &algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::from_name(algorithm.name()), Some(algorithm));
        }
        assert_eq!(Algorithm::ALL.len(), 18);
        assert_eq!(Algorithm::from_name("GitHub-crc32"), None);
        assert_eq!(Algorithm::from_name(""), None);
    }
}
