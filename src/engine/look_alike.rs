//! Literals that name something: a validation rule, a class, a file, a version, a message.
//!
//! Each stands where a secret would, under a name like those of secrets, and was met in public
//! code often enough to be worth a test of its own.

/// Whether `value` is one of them. `quoted` tells literals of code from bare text.
pub(super) fn is_one(value: &[u8], quoted: bool) -> bool {
    is_validation_rule(value)
        || is_class_path(value)
        || quoted && is_module_path(value)
        || is_module_version(value)
        || is_message(value)
        || is_key_type(value)
        || is_file(value)
        || is_joint(value)
        || is_byte_escapes(value)
        || starts_with_field(value)
        || memchr::memmem::find(value, b"/{").is_some()
        || !quoted && memchr::memmem::find(value, b"::").is_some()
        || is_sample_uuid(value)
        || is_rate(value)
        || has_guid(value)
        || has_sizes(value)
        || value.starts_with(b"hash:/")
        || is_cast(value)
        || is_wrapped_key(value)
}

/// `'password' => 'hashed'`: what a model does with the field.
fn is_cast(value: &[u8]) -> bool {
    matches!(value, b"hashed" | b"encrypted")
}

/// A session key that is encrypted for a key of the machine, as Windows exports it: a `SIMPLEBLOB`
/// (type 1, version 2) for AES or Triple DES, in Base64 (`BLOBHEADER`, wincrypt.h). Every web
/// server's settings hold the same two.
fn is_wrapped_key(value: &[u8]) -> bool {
    [&b"AQIAAA5m"[..], b"AQIAABBm", b"AQIAAA9m", b"AQIAAANm"].iter().any(|start| value.starts_with(start))
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// `required|string|min:6|confirmed`: what a form's field must be.
fn is_validation_rule(value: &[u8]) -> bool {
    let rule = |part: &[u8]| {
        let name = part.iter().position(|&b| b == b':').map_or(part, |at| &part[..at]);
        name.len() >= 3 && name.iter().all(|b| b.is_ascii_lowercase() || *b == b'_')
    };
    value.contains(&b'|') && value.split(|&b| b == b'|').all(rule)
}

/// `Illuminate\Support\Facades\Password`, `UserController@reset`.
fn is_class_path(value: &[u8]) -> bool {
    let titled = value.first().is_some_and(u8::is_ascii_uppercase);
    let parts = value.iter().all(|&b| is_word(b) || matches!(b, b'\\' | b'@'));
    let action = memchr::memmem::find(value, b"Controller@").is_some();
    titled
        && parts
        && (action || value.windows(2).any(|pair| pair[0] == b'\\' && pair[1].is_ascii_uppercase()))
}

/// `django.contrib.auth.hashers.PBKDF2PasswordHasher`: at least three names, mostly letters.
fn is_module_path(value: &[u8]) -> bool {
    let name = |part: &[u8]| {
        let letters = part.iter().filter(|b| b.is_ascii_alphabetic()).count();
        let first = part.first().is_some_and(u8::is_ascii_alphabetic);
        first
            && (3..=32).contains(&part.len())
            && part.iter().all(|&b| is_word(b))
            && letters * 4 >= part.len() * 3
    };
    let lower = |part: &[u8]| part.iter().all(|b| b.is_ascii_lowercase() || *b == b'_');
    let mut parts = value.split(|&b| b == b'.');
    parts.clone().count() >= 3 && parts.clone().all(name) && parts.next().is_some_and(lower)
}

/// `v0.0.0-20190828162817-608eb1dad4ac`, as Go writes versions of no release.
fn is_module_version(value: &[u8]) -> bool {
    let mut parts = value.split(|&b| b == b'-');
    let version = parts.next().is_some_and(|v| {
        v.first() == Some(&b'v')
            && v[1..].iter().all(|b| b.is_ascii_digit() || *b == b'.')
            && v.contains(&b'.')
    });
    let stamp = |part: &[u8]| part.iter().rev().take_while(|b| b.is_ascii_digit()).count() >= 14;
    version && parts.any(stamp)
}

/// Chinese, Japanese or Korean: two characters of these scripts are a text, no password.
pub(super) fn is_message(value: &[u8]) -> bool {
    value.iter().filter(|byte| (0xE3..=0xED).contains(*byte)).count() >= 2
}

/// `ed25519.Ed25519PrivateKey`: a type.
fn is_key_type(value: &[u8]) -> bool {
    [&b"PrivateKey"[..], b"PublicKey"].iter().any(|end| value.len() > end.len() && value.ends_with(end))
}

/// `tickets/split/part-00005.csv.gz`: names with slashes between them, the last with an extension.
fn is_file(value: &[u8]) -> bool {
    let Some(slash) = value.iter().rposition(|&b| b == b'/') else { return false };
    let plain = value.iter().all(|&b| is_word(b) || matches!(b, b'/' | b'.' | b'-'));
    let extension = value[slash..].iter().rposition(|&b| b == b'.').map(|at| &value[slash + at + 1..]);
    plain
        && extension.is_some_and(|tail| {
            (2..=5).contains(&tail.len())
                && tail[0].is_ascii_lowercase()
                && tail.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        })
}

/// ` + (`, `:="`: what stands between two texts.
fn is_joint(value: &[u8]) -> bool {
    let signs = !value.iter().any(|&b| b.is_ascii_alphanumeric() || b >= 0x80) && value.len() < 8;
    // `"…&password="+hash(x)+"…"`, read from the wrong quote.
    let added = value.first() == Some(&b'+') && (value.ends_with(b"+") || value.contains(&b'('));
    signs || added
}

/// Nothing but `\xNN`.
fn is_byte_escapes(value: &[u8]) -> bool {
    value.len().is_multiple_of(4)
        && value.chunks(4).all(|c| c.starts_with(b"\\x") && c[2..].iter().all(u8::is_ascii_hexdigit))
}

/// `{VOPERSON}13`: a format string's field stands first.
fn starts_with_field(value: &[u8]) -> bool {
    let Some(rest) = value.strip_prefix(b"{") else { return false };
    let name = rest.iter().take_while(|&&b| is_word(b) || b == b'.').count();
    name > 0 && rest.get(name) == Some(&b'}')
}

/// The UUID of every second documentation, whatever its last digits.
fn is_sample_uuid(value: &[u8]) -> bool {
    value.get(..34).is_some_and(|start| start.eq_ignore_ascii_case(b"550e8400-e29b-41d4-a716-4466554400"))
}

/// `20/m/ip,5/m/key`: how often something may be done.
fn is_rate(value: &[u8]) -> bool {
    value.split(|&b| b == b',').all(|rate| {
        let digits = rate.iter().take_while(|b| b.is_ascii_digit()).count();
        let unit = rate.get(digits..digits + 2).is_some_and(|u| u[0] == b'/' && b"smhd".contains(&u[1]));
        digits > 0 && unit && rate[digits + 2..].iter().all(|b| b.is_ascii_lowercase() || *b == b'/')
    })
}

/// `WELCOME_SCREEN/0.0.3840.2160`: what an editor keeps the place of a window under.
fn has_sizes(value: &[u8]) -> bool {
    let numbers = |part: &[u8]| {
        part.iter().filter(|&&b| b == b'.').count() >= 3
            && part.iter().all(|b| b.is_ascii_digit() || *b == b'.')
    };
    value.split(|&b| b == b'/').skip(1).any(|part| numbers(part.split(|&b| b == b'@').next().unwrap_or(part)))
}

/// `_SA_{262E99C9-…}`: a name with the id of an interface in it.
fn has_guid(value: &[u8]) -> bool {
    const GUID: usize = 38;
    let at = memchr::memchr(b'{', value).filter(|&at| at > 0);
    at.and_then(|at| value.get(at..at + GUID)).is_some_and(super::literal_value::is_uuid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_things() {
        for value in [
            "required|confirmed",
            "required|string|min:6|confirmed",
            "Illuminate\\Support\\Facades\\Password",
            "Faculty\\UserProfileController@change_my_password",
            "UserController@reset",
            "django.contrib.auth.hashers.PBKDF2PasswordHasher",
            "v0.0.0-20190828162817-608eb1dad4ac",
            "\u{4efb}\u{52a1}:{1},\u{5df2}\u{901a}\u{8fc7}",
            "ed25519.Ed25519PrivateKey",
            "tickets/split/part-00005-d33afb94.c000.csv.gz",
            " + (",
            "+text+",
            "+Digest.md5Hex(",
            "\\xd1\\x91",
            "{VOPERSON_V2_OID}13",
            "organizations/{org_id}/apiKeys/{key_id}",
            "550e8400-e29b-41d4-a716-446655440002",
            "20/m/ip,5/m/key",
            "10/m",
            "WELCOME_SCREEN/0.0.3840.2160",
            "hash:/etc/postfix/sasl_passwd",
            "_SA_{262E99C9-6160-4871-ACEC-4E61736B6F21}",
            "hashed",
            "AQIAAA5mAAAApAAA/q7Zr2x9kLm3Kp8vT",
        ] {
            assert!(is_one(value.as_bytes(), true), "{value}");
        }
    }

    #[test]
    fn secrets_are_none_of_them() {
        for value in [
            "Tr|x9!kq",
            "acme\\deploy7",
            "a.b.c",
            "q7Zr2x9k.Lm3Kp8vT.x81mQz7L",
            "v1-4f9a2c",
            "ab+c/d3fG7hJ9kL2mN4pQ.9z",
            "!@#$%^&*",
            "{)@Pfg54SV@e",
            "p\u{e4}ssw\u{f6}rt9",
        ] {
            assert!(!is_one(value.as_bytes(), true), "{value}");
        }
    }
}
