//! `--require-approval`: a second person has signed this very plan.

use std::path::{Path, PathBuf};

use crate::revoke::{Approver, approved};
use crate::validate::Operator;

use super::super::failure::{Failure, Outcome};

/// The keys that may approve, of the command line and of the operator's file; none when no approval is asked for.
pub(super) fn keys(named: Option<&Path>, operator: &Operator) -> Outcome<Option<Vec<Vec<Approver>>>> {
    let files: Vec<&Path> = named.into_iter().chain(operator.require_approval.as_deref()).collect();
    let read = |file: &&Path| {
        let failed = || format!("cannot use the keys in {}", file.display());
        let text = std::fs::read_to_string(file).map_err(|error| Failure::from(error).context(failed()))?;
        Approver::parse_all(&text).map_err(|error| Failure::from(error).context(failed()))
    };
    let keys = files.iter().map(read).collect::<Outcome<Vec<_>>>()?;
    Ok((!keys.is_empty()).then_some(keys))
}

/// Checks the signature of the plan in `file`, whose bytes are `plan`, against every set of `keys`.
pub(super) fn check(
    keys: &[Vec<Approver>],
    file: &Path,
    signature: Option<&Path>,
    plan: &[u8],
) -> Outcome<()> {
    let path = match signature {
        Some(path) => path.to_owned(),
        None if file == Path::new("-") => {
            return Err(Failure::new("a plan on standard input has no place for its signature")
                .hint("name it with --approval FILE"));
        }
        None => {
            let mut name = file.as_os_str().to_owned();
            name.push(".sig");
            PathBuf::from(name)
        }
    };
    let hint = format!(
        "let somebody else look at it and sign: ssh-keygen -Y sign -f KEY -n keycull {}",
        file.display()
    );
    let text = std::fs::read_to_string(&path).map_err(|error| {
        Failure::from(error).context(format!("no approval in {}", path.display())).hint(hint.clone())
    })?;
    keys.iter().try_for_each(|keys| approved(plan, &text, keys)).map_err(|error| {
        Failure::from(error).context(format!("not approved by {}", path.display())).hint(hint)
    })
}
