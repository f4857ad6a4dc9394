//! What git tells hooks about a push: which refs move from where to where.
//!
//! The forms are those of `git help githooks`: `pre-push` and `pre-receive` read lines, `update`
//! gets three arguments. A name of zeros stands for nothing: the ref is new, or is deleted.

use crate::finding::Oid;

/// One ref of a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefUpdate {
    /// Name of the ref on the side that receives.
    pub name: String,
    /// What it named until now; none for a new ref.
    pub old: Option<Oid>,
    /// What it is to name; none when it is deleted.
    pub new: Option<Oid>,
}

/// Reads what `pre-push` gets: `local-ref local-name remote-ref remote-name`.
///
/// # Errors
/// A line of another form, in words.
pub fn outgoing(input: &str) -> Result<Vec<RefUpdate>, String> {
    lines(input, |line| {
        // From the right: what people push (`HEAD~1`, `:/fix that`) may hold blanks.
        let mut parts = line.rsplitn(4, ' ');
        let (old, name, new) = (parts.next()?, parts.next()?, parts.next()?);
        parts.next()?;
        update(name, old, new)
    })
}

/// Reads what `pre-receive` gets: `old-name new-name ref`.
///
/// # Errors
/// A line of another form, in words.
pub fn incoming(input: &str) -> Result<Vec<RefUpdate>, String> {
    lines(input, |line| {
        let mut parts = line.splitn(3, ' ');
        let (old, new, name) = (parts.next()?, parts.next()?, parts.next()?);
        update(name, old, new)
    })
}

/// Reads what `update` gets: ref, old name, new name.
///
/// # Errors
/// Other arguments, in words.
pub fn single(arguments: &[String]) -> Result<RefUpdate, String> {
    let [name, old, new] = arguments else {
        return Err("update needs three arguments: a ref, its old and its new object".to_owned());
    };
    update(name, old, new).ok_or_else(|| format!("`{old}` or `{new}` is no object name"))
}

fn lines(input: &str, read: impl Fn(&str) -> Option<RefUpdate>) -> Result<Vec<RefUpdate>, String> {
    let wrong = |line: &str| format!("`{line}` is not what git tells hooks about a ref");
    input.lines().filter(|line| !line.is_empty()).map(|line| read(line).ok_or_else(|| wrong(line))).collect()
}

fn update(name: &str, old: &str, new: &str) -> Option<RefUpdate> {
    Some(RefUpdate { name: name.to_owned(), old: object(old)?, new: object(new)? })
}

/// An object name; `Some(None)` for zeros.
fn object(text: &str) -> Option<Option<Oid>> {
    let zeros = matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte == b'0');
    if zeros { Some(None) } else { text.parse().ok().map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_git_are_read() {
        let (a, b, zero) = ("a".repeat(40), "b".repeat(40), "0".repeat(40));
        let text = format!(
            "refs/heads/x {a} refs/heads/y {b}\n:/fix that {a} refs/tags/t {zero}\n\n(delete) {zero} refs/heads/z {b}\n"
        );
        let refs = outgoing(&text).unwrap();
        let shown: Vec<_> =
            refs.iter().map(|r| (r.name.as_str(), r.old.is_some(), r.new.is_some())).collect();
        assert_eq!(
            shown,
            [("refs/heads/y", true, true), ("refs/tags/t", false, true), ("refs/heads/z", true, false)]
        );
        assert!(outgoing("refs/heads/x abc refs/heads/y def").is_err());
        assert!(outgoing(&format!("{a} refs/heads/y {b}")).is_err());

        let refs = incoming(&format!("{zero} {a} refs/heads/a b\n")).unwrap();
        assert_eq!((refs[0].name.as_str(), &refs[0].old), ("refs/heads/a b", &None));
        assert!(incoming("nonsense\n").is_err() && incoming("").unwrap().is_empty());

        let long = "c".repeat(64);
        let one = single(&["refs/heads/m".to_owned(), "0".repeat(64), long.clone()]).unwrap();
        assert_eq!(one.new.unwrap().to_string(), long);
        assert!(single(&["refs/heads/m".to_owned()]).is_err());
    }
}
