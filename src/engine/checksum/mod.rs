//! Offline checks of tokens: checksums where the format has one, inner structure elsewhere.
//!
//! The verdicts and what they are for: [`Checksum::Passed`] raises confidence,
//! [`Checksum::Failed`] lowers it and forbids any network use of the value,
//! [`Checksum::Absent`] says nothing. Where a format's algorithm is unpublished, or older
//! forms without it exist, doubt gives `Absent`, never `Failed`.
//!
//! Every check is total (any bytes, no panic) and linear in the token; the one quadratic
//! decoding (base58) has a cap.

mod armored;
mod azure;
mod crc;
mod encoded;
mod json;
mod structured;

use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::finding::Checksum;
use crate::rule::checksum::Algorithm;

const FORGIVING: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_allow_trailing_bits(true)
    .with_decode_padding_mode(DecodePaddingMode::Indifferent);

/// Base64 with or without padding; left-over bits may be set, as most decoders allow.
pub(super) const LENIENT: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, FORGIVING);

/// URL-safe base64, equally forgiving.
pub(super) const LENIENT_URL: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, FORGIVING);

/// Checks `token` (the whole secret, prefix included) with `algorithm`.
#[must_use]
pub fn check(algorithm: Algorithm, token: &[u8]) -> Checksum {
    match algorithm {
        Algorithm::GithubCrc32 => crc::github(token),
        Algorithm::GitlabRoutable => crc::gitlab(token),
        Algorithm::AtlassianCrc32 => crc::atlassian(token),
        Algorithm::GrafanaCrc32 => crc::grafana(token),
        Algorithm::CloudflareCrc32 => crc::cloudflare(token),
        Algorithm::ZuploCrc32 => crc::zuplo(token),
        Algorithm::AwsKeyId => encoded::aws_key_id(token),
        Algorithm::Bech32Age => encoded::bech32(token),
        Algorithm::NatsNkey => encoded::nkey(token),
        Algorithm::Base58check => encoded::base58check(token),
        Algorithm::Base32Otp => encoded::otp_seed(token),
        Algorithm::Jwt => structured::jwt(token),
        Algorithm::PypiMacaroon => structured::macaroon(token),
        Algorithm::SentryToken => structured::sentry(token),
        Algorithm::DiscordBot => structured::discord(token),
        Algorithm::Pem => armored::block(token),
        Algorithm::GoogleServiceAccount => armored::service_account(token),
        Algorithm::AzureCask => azure::cask(token),
    }
}

/// `Passed` or `Failed`.
fn verdict(right: bool) -> Checksum {
    if right { Checksum::Passed } else { Checksum::Failed }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::example::Rng;

    /// No algorithm may panic, whatever it is given.
    #[test]
    fn any_bytes_are_survived() {
        let starts =
            ["", "ghp_", "pypi-", "sntrys_", "glsa_a_", "AGE-SECRET-KEY-1", "-----BEGIN X-----", "SU", "{\""];
        for (i, start) in starts.iter().enumerate() {
            for length in 0..140 {
                let mut rng = Rng::seeded(&format!("{i} {length}"));
                let alphabet: &[u8] = match length % 4 {
                    0 => b"A.=_-\"\\{}:",
                    1 => b"AZ27az",
                    2 => b"09af_",
                    _ => &[0, 255, b'\n', b'=', b'.', b'1'],
                };
                let mut token = start.as_bytes().to_vec();
                token.extend((0..length).map(|_| alphabet[rng.below(alphabet.len())]));
                for &algorithm in Algorithm::ALL {
                    let _ = check(algorithm, &token);
                }
            }
        }
    }

    #[test]
    fn hostile_length_takes_linear_time() {
        for &algorithm in Algorithm::ALL {
            for unit in ["A", "a.", "_", "{\"", "\\", "=", "-----BEGIN X-----\n"] {
                let token = unit.repeat(400_000 / unit.len());
                let started = std::time::Instant::now();
                let _ = check(algorithm, token.as_bytes());
                assert!(started.elapsed().as_secs() < 5, "{algorithm:?} on {unit:?}");
            }
        }
    }
}
