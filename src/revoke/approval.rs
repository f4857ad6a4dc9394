//! A second person's yes: an SSH signature over the plan file, as `ssh-keygen -Y sign` makes it.
//!
//! Form of signatures: OpenSSH, PROTOCOL.sshsig. Ed25519 keys only: the one kind every `ssh-keygen` makes
//! and that has no parameters to get wrong.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ED25519, UnparsedPublicKey};
use sha2::{Digest, Sha256, Sha512};

/// What a signature must say it is for.
pub const APPROVAL_NAMESPACE: &str = "keycull";

const KIND: &[u8] = b"ssh-ed25519";

/// A public key whose owner may approve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approver([u8; 32]);

/// Why a plan is not approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApprovalError {
    /// The file of keys holds none.
    #[error("no line holds an `ssh-ed25519` public key")]
    NoKey,
    /// The signature is none.
    #[error("it is no SSH signature")]
    Malformed,
    /// It was made for something else.
    #[error("the signature was made for another purpose; sign with `-n keycull`")]
    OtherPurpose,
    /// Somebody else signed.
    #[error("the signature is by a key that may not approve")]
    Stranger,
    /// It is not over this plan.
    #[error("the signature is not over this plan: it was changed after it was signed, or another one was")]
    OtherPlan,
}

impl Approver {
    /// The keys in `text`: `.pub` files, `authorized_keys` or `allowed_signers`; other kinds are passed over.
    ///
    /// # Errors
    ///
    /// There is none.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, ApprovalError> {
        let key = |line: &str| {
            let mut words = line.split_whitespace().skip_while(|word| *word != "ssh-ed25519").skip(1);
            let blob = STANDARD.decode(words.next()?).ok()?;
            Self::of_blob(&blob)
        };
        let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
        let keys: Vec<Self> = lines.filter_map(key).collect();
        if keys.is_empty() { Err(ApprovalError::NoKey) } else { Ok(keys) }
    }

    fn of_blob(mut blob: &[u8]) -> Option<Self> {
        (string(&mut blob)? == KIND).then_some(())?;
        Some(Self(string(&mut blob)?.try_into().ok()?))
    }
}

/// Whether `signature` (armoured) is one of `keys`' over `plan`, the bytes of the plan file.
///
/// # Errors
///
/// See [`ApprovalError`].
pub fn approved(plan: &[u8], signature: &str, keys: &[Approver]) -> Result<(), ApprovalError> {
    let armour = signature
        .trim()
        .strip_prefix("-----BEGIN SSH SIGNATURE-----")
        .and_then(|rest| rest.strip_suffix("-----END SSH SIGNATURE-----"))
        .ok_or(ApprovalError::Malformed)?;
    let armour: String = armour.split_whitespace().collect();
    let blob = STANDARD.decode(armour).map_err(|_| ApprovalError::Malformed)?;
    let signed = Signed::read(&blob).ok_or(ApprovalError::Malformed)?;
    if signed.namespace != APPROVAL_NAMESPACE.as_bytes() {
        return Err(ApprovalError::OtherPurpose);
    }
    if !keys.contains(&signed.key) {
        return Err(ApprovalError::Stranger);
    }
    let hash = match signed.hash {
        b"sha512" => Sha512::digest(plan).to_vec(),
        b"sha256" => Sha256::digest(plan).to_vec(),
        _ => return Err(ApprovalError::Malformed),
    };
    let mut message = b"SSHSIG".to_vec();
    for part in [signed.namespace, signed.reserved, signed.hash, &hash] {
        put(&mut message, part);
    }
    UnparsedPublicKey::new(&ED25519, signed.key.0)
        .verify(&message, signed.signature)
        .map_err(|_| ApprovalError::OtherPlan)
}

struct Signed<'a> {
    key: Approver,
    namespace: &'a [u8],
    reserved: &'a [u8],
    hash: &'a [u8],
    signature: &'a [u8],
}

impl<'a> Signed<'a> {
    fn read(blob: &'a [u8]) -> Option<Self> {
        let mut rest = blob.strip_prefix(b"SSHSIG")?.strip_prefix(&1u32.to_be_bytes())?;
        let key = Approver::of_blob(string(&mut rest)?)?;
        let (namespace, reserved, hash) = (string(&mut rest)?, string(&mut rest)?, string(&mut rest)?);
        let mut inner = string(&mut rest)?;
        (string(&mut inner)? == KIND).then_some(())?;
        let signature = string(&mut inner)?;
        (rest.is_empty() && inner.is_empty()).then_some(Self { key, namespace, reserved, hash, signature })
    }
}

/// The next string of SSH's wire form: its length in four bytes, big-endian, then the string.
fn string<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, tail) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (taken, tail) = (tail.get(..length)?, tail.get(length..)?);
    *rest = tail;
    Some(taken)
}

fn put(out: &mut Vec<u8>, part: &[u8]) {
    out.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(part);
}

#[cfg(test)]
mod tests {
    use ring::signature::{Ed25519KeyPair, KeyPair};

    use super::*;

    fn blob(pair: &Ed25519KeyPair) -> Vec<u8> {
        let mut blob = Vec::new();
        put(&mut blob, KIND);
        put(&mut blob, pair.public_key().as_ref());
        blob
    }

    /// What `ssh-keygen -Y sign -n NAMESPACE` writes.
    fn sign(pair: &Ed25519KeyPair, namespace: &str, plan: &[u8]) -> String {
        let (mut message, mut out) = (b"SSHSIG".to_vec(), b"SSHSIG".to_vec());
        for part in [namespace.as_bytes(), b"", b"sha512", &Sha512::digest(plan)] {
            put(&mut message, part);
        }
        out.extend_from_slice(&1u32.to_be_bytes());
        put(&mut out, &blob(pair));
        for part in [namespace.as_bytes(), b"", b"sha512"] {
            put(&mut out, part);
        }
        let mut inner = Vec::new();
        put(&mut inner, KIND);
        put(&mut inner, pair.sign(&message).as_ref());
        put(&mut out, &inner);
        format!("-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----\n", STANDARD.encode(out))
    }

    #[test]
    fn only_an_approver_and_only_this_plan() {
        let pair = |seed: u8| Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).expect("is a seed");
        let (boss, other) = (pair(1), pair(2));
        let line = format!("# people\nboss@acme.example ssh-ed25519 {} boss\n", STANDARD.encode(blob(&boss)));
        let keys = Approver::parse_all(&line).expect("holds one");
        let good = sign(&boss, APPROVAL_NAMESPACE, b"plan");
        assert_eq!(approved(b"plan", &good, &keys), Ok(()));
        assert_eq!(approved(b"plan!", &good, &keys), Err(ApprovalError::OtherPlan));
        let stranger = sign(&other, APPROVAL_NAMESPACE, b"plan");
        assert_eq!(approved(b"plan", &stranger, &keys), Err(ApprovalError::Stranger));
        assert_eq!(approved(b"plan", &sign(&boss, "git", b"plan"), &keys), Err(ApprovalError::OtherPurpose));
        for junk in [
            "",
            "hello",
            &good[..good.len() / 2],
            "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----",
        ] {
            assert_eq!(approved(b"plan", junk, &keys), Err(ApprovalError::Malformed));
        }
        assert_eq!(Approver::parse_all("ssh-rsa AAAA x"), Err(ApprovalError::NoKey));
    }
}
