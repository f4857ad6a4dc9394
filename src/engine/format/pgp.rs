//! OpenPGP private keys. The armour is that of `pem`; only the trigger differs, because it can
//! be rarer.

use super::{Hit, pem};

pub(super) fn verify(bytes: &[u8], at: usize) -> Option<Hit> {
    pem::block(bytes, at.checked_sub(5)?, |label| label == b"PGP PRIVATE KEY BLOCK")
}

#[cfg(test)]
mod tests {
    use super::super::tests::{finds, hits, ignores, text};
    use crate::finding::Confidence;
    use crate::rule::format::Format;

    #[test]
    fn blocks_with_and_without_headers() {
        let key = text("${pem:PGP PRIVATE KEY BLOCK}");
        finds(Format::Pgp, &[], &key, &key);
        let headers = key.replacen("\n\n", "\nVersion: GnuPG v1\nComment: a (b) <c@d> - e\n\n", 1);
        finds(Format::Pgp, &[], &headers, &headers);
        let escaped = headers.replace('\n', "\\n");
        finds(Format::Pgp, &[], &format!("\"{escaped}\""), &escaped);
        ignores(Format::Pgp, &[], &key.replace("PRIVATE", "PUBLIC"));
        ignores(Format::Pgp, &[], "begin pgp private key block");
    }

    #[test]
    fn a_public_key_under_a_private_label_is_doubtful() {
        let key = text("${pem:PGP PRIVATE KEY BLOCK}");
        let start = key.find("\n\n").unwrap() + 2;
        // Tag 6, public key: 0x99 instead of 0x95.
        let public = format!("{}mQ{}", &key[..start], &key[start + 2..]);
        let hits = hits(Format::Pgp, &[], public.as_bytes());
        assert_eq!(hits[0].confidence, Some(Confidence::Low));
    }
}
