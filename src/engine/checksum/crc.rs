//! Tokens that end in a CRC-32 of what stands before it.

use crate::finding::Checksum;

use super::verdict;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BASE36: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// `value` in the base of `digits`, padded on the left to `N` digits; higher ones are dropped.
fn in_base<const N: usize>(mut value: u32, digits: &[u8]) -> [u8; N] {
    let base = digits.len() as u32;
    let mut out = [digits[0]; N];
    for place in out.iter_mut().rev() {
        *place = digits[(value % base) as usize];
        value /= base;
    }
    out
}

/// `ghp_`, `gho_`, `ghu_`, `ghr_`, also npm and Vercel: base62 of the CRC-32 between the first
/// `_` and the last six characters (GitHub blog, 2021-04-05).
///
/// For `ghs_` a mismatch proves nothing: newer server tokens have another form, and no
/// public example of the old one holds. `github_pat_` has an unpublished form: never decided.
pub(super) fn github(token: &[u8]) -> Checksum {
    let Some(prefix) = token.iter().position(|&b| b == b'_').map(|i| i + 1) else { return Checksum::Absent };
    if token.starts_with(b"github_pat_") || token.len() < prefix + 12 {
        return Checksum::Absent;
    }
    let (body, check) = token[prefix..].split_at(token.len() - prefix - 6);
    let right = in_base::<6>(crc32fast::hash(body), BASE62) == check;
    if !right && token.starts_with(b"ghs_") { Checksum::Absent } else { verdict(right) }
}

/// Routable GitLab tokens, `glpat-<payload>.01.<2 length><7 checksum>`, and the form without
/// a version (`glpat-<payload>.<2><7>`), whose mismatch decides nothing.
///
/// Source: `Authn::TokenField::Generator::RoutableToken` of GitLab.
pub(super) fn gitlab(token: &[u8]) -> Checksum {
    let Some(start) = token.len().checked_sub(7) else { return Checksum::Absent };
    let Some(b'.') = start.checked_sub(3).map(|dot| token[dot]) else { return Checksum::Absent };
    let right = in_base::<7>(crc32fast::hash(&token[..start]), BASE36) == token[start..];
    let versioned = token[..start - 3].ends_with(b".01");
    if right || versioned { verdict(right) } else { Checksum::Absent }
}

/// Atlassian API tokens, `ATATT3…=XXXXXXXX`: upper-case hex CRC-32 of all before, `=` included.
pub(super) fn atlassian(token: &[u8]) -> Checksum {
    match token.len().checked_sub(8) {
        Some(start) if start > 0 && token[start - 1] == b'=' => {
            let wanted = format!("{:08X}", crc32fast::hash(&token[..start]));
            verdict(wanted.as_bytes() == &token[start..])
        }
        _ => Checksum::Absent,
    }
}

/// Grafana service account tokens, `glsa_<32>_<8 hex>`; the server refuses any other checksum
/// (pkg/components/satokengen).
pub(super) fn grafana(token: &[u8]) -> Checksum {
    match split_hex(token) {
        Some((before, check)) if before.ends_with(b"_") => {
            verdict(crc32fast::hash(&before[..before.len() - 1]).swap_bytes() == check)
        }
        _ => Checksum::Absent,
    }
}

/// Cloudflare `cfut_`, `cfat_`, `cfk_`: 40 characters, eight hex digits. The algorithm is not
/// published; CRC-32 of the 40 fits what was seen, so only a match counts.
pub(super) fn cloudflare(token: &[u8]) -> Checksum {
    let body = |before: &[u8]| before.len().checked_sub(40).map(|start| crc32fast::hash(&before[start..]));
    match split_hex(token) {
        Some((before, check)) if body(before) == Some(check) => Checksum::Passed,
        _ => Checksum::Absent,
    }
}

/// Zuplo `zpka_<32>_<8 hex>`: CRC-32 of the part between the underscores.
pub(super) fn zuplo(token: &[u8]) -> Checksum {
    let Some((before, check)) = split_hex(token) else { return Checksum::Absent };
    let body = before.strip_suffix(b"_").and_then(|rest| {
        let prefix = rest.iter().position(|&b| b == b'_')?;
        rest.get(prefix + 1..)
    });
    body.map_or(Checksum::Absent, |body| verdict(crc32fast::hash(body) == check))
}

/// The token without its last eight characters, and their value as hex.
fn split_hex(token: &[u8]) -> Option<(&[u8], u32)> {
    let (before, check) = token.split_at(token.len().checked_sub(8)?);
    if !check.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let check = std::str::from_utf8(check).ok()?;
    Some((before, u32::from_str_radix(check, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::example::{Rng, expand};

    fn text(template: &str, seed: &str) -> String {
        expand(template, &|_| String::new(), &mut Rng::seeded(seed)).unwrap()
    }

    /// Every single-character change must lose the `Passed`.
    fn breaks_everywhere(token: &str, from: usize, check: fn(&[u8]) -> Checksum) {
        assert_eq!(check(token.as_bytes()), Checksum::Passed, "{token}");
        for i in from..token.len() {
            for replacement in [b'0', b'1', b'a', b'F', b'z'] {
                let mut changed = token.as_bytes().to_vec();
                if !changed[i].eq_ignore_ascii_case(&replacement) {
                    changed[i] = replacement;
                    assert_ne!(check(&changed), Checksum::Passed, "{token} at {i}");
                }
            }
        }
    }

    #[test]
    fn github_tokens() {
        for seed in ["a", "b", "c"] {
            let token = text("${ghp_:github}", seed);
            breaks_everywhere(&token, 4, github);
            assert_eq!(github(token.replace("ghp_", "npm_").as_bytes()), Checksum::Passed);
        }
        let wrong = text("${ghp_:alnum:36}", "x");
        assert_eq!(github(wrong.as_bytes()), Checksum::Failed);
        assert_eq!(github(wrong.replace("ghp_", "ghs_").as_bytes()), Checksum::Absent);
        assert_eq!(github(text("${github_pat_:alnum:82}", "x").as_bytes()), Checksum::Absent);
        // Documented by the issuer and by peers' test suites.
        let published = ["ghp_", "sbUsUmRNn8X74dFU0D", "J9Fm1mvdCgtH474T38"].concat();
        assert_eq!(github(published.as_bytes()), Checksum::Passed);
        let published = ["npm_", "UEuirnhN6qyDNigmWW", "TIEHMNquQHF54FKSCV"].concat();
        assert_eq!(github(published.as_bytes()), Checksum::Passed);
    }

    #[test]
    fn gitlab_tokens() {
        let body = text("${glpat-:base64url:32}.01.0w", "g");
        let token = format!(
            "{body}{}",
            String::from_utf8_lossy(&in_base::<7>(crc32fast::hash(body.as_bytes()), BASE36))
        );
        breaks_everywhere(&token, 6, gitlab);
        let mut wrong = token.clone().into_bytes();
        wrong[10] ^= 1;
        assert_eq!(gitlab(&wrong), Checksum::Failed);
        assert_eq!(gitlab(text("${glpat-:alnum:20}", "g").as_bytes()), Checksum::Absent);
        let published = ["glpat-", "vSY1cyL948aAB440", "qB6L4zlu9OzsUmEV", ".01.0w0sfevch"].concat();
        assert_eq!(gitlab(published.as_bytes()), Checksum::Passed);
    }

    #[test]
    fn atlassian_tokens() {
        let body = text("${ATATT3xFfGF0:base64url:171}=", "a");
        let token = format!("{body}{:08X}", crc32fast::hash(body.as_bytes()));
        breaks_everywhere(&token, 6, atlassian);
        assert_eq!(atlassian(token.to_lowercase().as_bytes()), Checksum::Failed);
        assert_eq!(atlassian(body.as_bytes()), Checksum::Absent);
    }

    #[test]
    fn grafana_tokens() {
        let body = text("${glsa_:alnum:32}", "g");
        let check: String =
            crc32fast::hash(body.as_bytes()).to_le_bytes().iter().map(|b| format!("{b:02x}")).collect();
        breaks_everywhere(&format!("{body}_{check}"), 5, grafana);
        assert_eq!(grafana(format!("{body}_00000000").as_bytes()), Checksum::Failed);
        // From the issuer's own test suite.
        let published = ["glsa_", "yscW25imSKJIuav8", "zF37RZmnbiDvB05G", "_fcaaf58a"].concat();
        assert_eq!(grafana(published.as_bytes()), Checksum::Passed);
    }

    #[test]
    fn cloudflare_mismatch_is_no_verdict() {
        let body = text("${alnum:40}", "c");
        let token = format!("cfut_{body}{:08x}", crc32fast::hash(body.as_bytes()));
        breaks_everywhere(&token, 5, cloudflare);
        assert_eq!(cloudflare(format!("cfut_{body}00000000").as_bytes()), Checksum::Absent);
    }

    #[test]
    fn zuplo_tokens() {
        let body = text("${alnum:32}", "z");
        let token = format!("zpka_{body}_{:08x}", crc32fast::hash(body.as_bytes()));
        breaks_everywhere(&token, 5, zuplo);
        assert_eq!(zuplo(format!("zpka_{body}_00000000").as_bytes()), Checksum::Failed);
    }
}
