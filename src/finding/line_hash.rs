//! The line fingerprint GitHub code scanning follows alerts by (`primaryLocationLineHash`).
//!
//! Kept apart because it must stay bit for bit what `src/fingerprints.ts` of
//! `github/codeql-action` computes: that action warns about a value that differs from its own,
//! and an upload by REST gets no value but ours.

use std::collections::HashMap;

/// Characters, spaces and tabs not counted, that the hash of a line looks at.
const WINDOW: usize = 100;

/// Base of the polynomial.
const BASE: u64 = 37;

/// Stands for the end of the file in the hashed sequence.
const END: u16 = 0xFFFF;

const LF: u16 = b'\n' as u16;
const CR: u16 = b'\r' as u16;

/// Hashes of the given 1-based `lines` of `content`, in the order asked, each `<hex>:<n>` where
/// `n` counts equal hashes from the start of the file.
///
/// A line's hash covers the 100 UTF-16 code units from its start, spaces and tabs skipped, so it
/// reaches into the lines below. CR LF, LF and a lone CR each end a line, and lines are numbered
/// so; bytes that are not UTF-8 count as U+FFFD, as the original decodes them. The end of the file
/// starts a line too when it follows a line end.
///
/// A line past the end has no hash and yields an empty string.
///
/// Time is linear in `content` up to the last line asked for (read twice); memory is bounded by
/// the number of `lines`.
#[must_use]
pub fn line_hashes(content: &[u8], lines: &[usize]) -> Vec<String> {
    let Some(&last) = lines.iter().max() else { return Vec::new() };
    let mut raw: HashMap<usize, u64> = lines.iter().map(|&line| (line, 0)).collect();
    let mut reached = 0;
    each_line(content, last, |line, hash| {
        reached = line;
        if let Some(slot) = raw.get_mut(&line) {
            *slot = hash;
        }
    });
    raw.retain(|&line, _| line > 0 && line <= reached);

    // NOTE: counting needs every line above, but only the hashes that are asked for.
    let mut seen: HashMap<u64, usize> = raw.values().map(|&hash| (hash, 0)).collect();
    let mut nth: HashMap<usize, usize> = HashMap::new();
    each_line(content, last, |line, hash| {
        if let Some(count) = seen.get_mut(&hash) {
            *count += 1;
            if raw.contains_key(&line) {
                nth.insert(line, *count);
            }
        }
    });
    let show = |line: &usize| Some(format!("{:x}:{}", raw.get(line)?, nth.get(line)?));
    lines.iter().map(|line| show(line).unwrap_or_default()).collect()
}

/// Calls `visit` with the number and hash of each line up to line `last`, in order.
fn each_line(content: &[u8], last: usize, mut visit: impl FnMut(usize, u64)) {
    let mut rolling = Rolling::new();
    let mut line = 0;
    let mut line_start = true;
    let mut after_cr = false;
    let mut feed = |unit: u16| -> bool {
        // Spaces, tabs and the LF of a CR LF are not part of the sequence.
        if unit == u16::from(b' ') || unit == u16::from(b'\t') || (after_cr && unit == LF) {
            after_cr = false;
            return true;
        }
        after_cr = unit == CR;
        let unit = if unit == CR { LF } else { unit };
        if let Some(done) = rolling.take_line() {
            visit(done, rolling.hash);
            if done >= last {
                return false;
            }
        }
        if line_start {
            line += 1;
            rolling.mark(line);
        }
        line_start = unit == LF;
        rolling.push(unit);
        true
    };
    let units = content.utf8_chunks().flat_map(|chunk| {
        let replacement = (!chunk.invalid().is_empty()).then_some(0xFFFD);
        chunk.valid().encode_utf16().chain(replacement)
    });
    for unit in units.chain([END]) {
        if !feed(unit) {
            return;
        }
    }
    // The window still holds the starts of the last lines: push them out.
    for _ in 0..WINDOW {
        if let Some(done) = rolling.take_line() {
            visit(done, rolling.hash);
            if done >= last {
                return;
            }
        }
        rolling.push(0);
    }
}

/// Polynomial hash over the last [`WINDOW`] units, in 64 bits that wrap.
struct Rolling {
    units: [u16; WINDOW],
    /// Number of the line that starts at the unit beside it; 0 for none.
    starts: [usize; WINDOW],
    at: usize,
    hash: u64,
}

impl Rolling {
    /// Weight of the unit that leaves the window.
    const LEAVING: u64 = BASE.wrapping_pow(WINDOW as u32);

    fn new() -> Self {
        Self { units: [0; WINDOW], starts: [0; WINDOW], at: 0, hash: 0 }
    }

    /// The line whose start is about to leave the window: the hash now covers it in full.
    fn take_line(&mut self) -> Option<usize> {
        let line = std::mem::take(&mut self.starts[self.at]);
        (line != 0).then_some(line)
    }

    /// Notes that `line` starts with the next unit.
    fn mark(&mut self, line: usize) {
        self.starts[self.at] = line;
    }

    fn push(&mut self, unit: u16) {
        let leaving = std::mem::replace(&mut self.units[self.at], unit);
        self.hash = BASE
            .wrapping_mul(self.hash)
            .wrapping_add(u64::from(unit))
            .wrapping_sub(Self::LEAVING.wrapping_mul(u64::from(leaving)));
        self.at = (self.at + 1) % WINDOW;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(content: &str) -> Vec<String> {
        let count = content.replace("\r\n", "\n").split(['\n', '\r']).count();
        line_hashes(content.as_bytes(), &(1..=count).collect::<Vec<_>>())
    }

    // The expected values of this module are the test vectors of `src/fingerprints.test.ts`.

    #[test]
    fn an_empty_file_has_one_line() {
        assert_eq!(all(""), ["c129715d7a2bc9a3:1"]);
    }

    #[test]
    fn spaces_and_tabs_do_not_count() {
        let expected = ["271789c17abda88f:1", "54703d4cd895b18:1", "180aee12dab6264:1", "a23a3dc5e078b07b:1"];
        assert_eq!(all(" a\nb\n  \t\tc\n d"), expected);
    }

    #[test]
    fn the_last_line_may_lack_its_end() {
        let expected = [
            "8b7cf3e952e7aeb2:1",
            "b1ae1287ec4718d9:1",
            "bff680108adb0fcc:1",
            "c6805c5e1288b612:1",
            "b86d3392aea1be30:1",
            "e6ceba753e1a442:1",
        ];
        assert_eq!(all(" hello; \t\nworld!!!\n\n\n  \t\tGreetings\n End"), expected);
    }

    #[test]
    fn all_line_ends_are_equal() {
        let expected = [
            "e9496ae3ebfced30:1",
            "fb7c023a8b9ccb3f:1",
            "ce8ba1a563dcdaca:1",
            "e20e36e16fcb0cc8:1",
            "b3edc88f2938467e:1",
            "c8e28b0b4002a3a0:1",
            "c129715d7a2bc9a3:1",
        ];
        for content in [
            " hello; \t\nworld!!!\n\n\n  \t\tGreetings\n End\n",
            " hello; \t\nworld!!!\r\r\r  \t\tGreetings\r End\r",
            " hello; \t\r\nworld!!!\r\n\r\n\r\n  \t\tGreetings\r\n End\r\n",
            " hello; \t\nworld!!!\r\n\n\r  \t\tGreetings\r End\r\n",
        ] {
            assert_eq!(all(content), expected, "{content:?}");
        }
    }

    #[test]
    fn equal_lines_are_counted() {
        let expected = [
            "a7f2ff13bc495cf2:1",
            "a7f2ff13bc495cf2:2",
            "a7f2ff13bc495cf2:3",
            "a7f2ff13bc495cf2:4",
            "a7f2ff13bc495cf2:5",
            "a7f2ff13bc495cf2:6",
            "a7f2ff1481e87703:1",
            "a9cf91f7bbf1862b:1",
            "55ec222b86bcae53:1",
            "cc97dc7b1d7d8f7b:1",
            "c129715d7a2bc9a3:1",
        ];
        assert_eq!(all(&"Lorem ipsum dolor sit amet.\n".repeat(10)), expected);
    }

    #[test]
    fn short_lines_differ_by_what_follows() {
        let expected = [
            "e54938cc54b302f1:1",
            "bb609acbe9138d60:1",
            "1131fd5871777f34:1",
            "5c482a0f8b35ea28:1",
            "54517377da7028d2:1",
            "2c644846cb18d53e:1",
            "f1b89f20de0d133:1",
            "c129715d7a2bc9a3:1",
        ];
        assert_eq!(all("x = 2\nx = 1\nprint(x)\nx = 3\nprint(x)\nx = 4\nprint(x)\n"), expected);
    }

    #[test]
    fn lines_come_in_the_order_asked_and_missing_ones_are_empty() {
        let content = "Lorem ipsum dolor sit amet.\n".repeat(10);
        assert_eq!(
            line_hashes(content.as_bytes(), &[3, 1, 3, 99, 0]),
            ["a7f2ff13bc495cf2:3", "a7f2ff13bc495cf2:1", "a7f2ff13bc495cf2:3", "", ""]
        );
        assert!(line_hashes(b"", &[]).is_empty());
    }

    #[test]
    fn bytes_that_are_not_utf8_count_as_the_original_decodes_them() {
        // Expected values computed with the original's arithmetic on Node's decoding of these bytes.
        let mut content = b"a\xff\xfeb\xe2\x82 \xf0\x9f\x98\x80 umlaut \xc3\xa4\n\xed\xa0\x80x\n".to_vec();
        let numbers: Vec<String> = (1..=60).map(|n: u32| n.to_string()).collect();
        content.extend_from_slice(numbers.join(",").as_bytes());
        content.extend_from_slice(b"\r\n\r \n z");
        let expected = [
            "7d5c269e3e6dc97e:1",
            "bab689ba0dfb4eb7:1",
            "92b6abab3062246e:1",
            "d14e489d3d22223d:1",
            "483058b3d6ce6067:1",
            "76dcabf80cb35c79:1",
        ];
        assert_eq!(line_hashes(&content, &[1, 2, 3, 4, 5, 6]), expected);
    }
}
