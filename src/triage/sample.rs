//! Published sample keys: in everybody's documentation, opening nothing.
//!
//! Kept as hashes, so that this table is no list of token-shaped texts.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::finding::RuleInfo;

/// SHA-256 of the value (of a key block: of its Base64 body without white space), and where it
/// was published. Sorted by hash.
const SAMPLES: [(&str, &str); 57] = [
    (
        "0011cc25eb4320717494d2703e8cba85743e71b500283c21c8b88147992f9059",
        "Azurite and storage emulator: account key",
    ),
    ("00cf4c781dc37003f7c7dd7d4c9a6ef1e0f4c62d9a291aa8bc398774e3fefd32", "RFC 6749: refresh token"),
    (
        "095101cf732c298a0ce0320b9de704209cdd8640b70d8fdf4e5be51aa2eb272e",
        "Hardhat and Anvil: second account, with 0x",
    ),
    ("0aedba9d586f34f95cf1f0d54926f62e8a078ce2ca593be73ab27a87d3ff9c5d", "Hardhat and Anvil: sixth account"),
    ("1a5d44a2dca19669d72edf4c4f1c27c4c1ca4b4408fbb17f6ce4ad452d78ddb3", "AWS documentation: access key id"),
    (
        "28e543d3753fc9d14c658ebef20b76a3b5f8e7d78667baf27832ceb3bea01bdf",
        "Hardhat and Anvil: seventh account",
    ),
    ("293257ab6495ebb11cf9e4aee0686ca30df8de2ab8d251f2cbbcf177bdfcae91", "RFC 5849: client key"),
    (
        "2cafc0970149a84f3b9e62eaf169f36f59907a3b3e31f7b82e68c69cd27f7326",
        "Stripe documentation: secret test key",
    ),
    ("2ff8b0fb93aca981c78f1e94355c298c23435461f1072ef4674848e620371787", "RFC 5849: token"),
    (
        "3543c50b0cb9cea8e55eb1f529b79f043cb250d485fde7b66cabbb5183add7da",
        "GitHub documentation: personal access token",
    ),
    ("38e69fdd19aefeb4adf56312f10e62c30274997835173c7006308323ad7db506", "Hardhat and Anvil: ninth account"),
    ("3ad8f14b04b634983ece3710397663e9213b3403fd2234868f7ae95e254fe906", "Vagrant: insecure key pair"),
    (
        "44f05a069ba895c401634036b0a72b9487cb457e45b687b89a2e23942291ce38",
        "GitHub documentation: server-to-server token, other spelling",
    ),
    ("4c20e6f5cc11b93731e74cbe20739821d61c3563c9f50ecb884a27cd369f01fb", "RFC 5849: temporary token"),
    ("4d3e46eec8244d1d106f866ee48994f6176705298aee1b8426b2ad2529eb454b", "Hardhat and Anvil: fifth account"),
    ("53f5da0aaa93d64cd5772c554cbf940f0539e689dddbeb8f923eec3f72c02ea9", "RFC 6749: client secret"),
    ("5586407997f5e8492fa0d6d310460386c80cc3542de6c876f75582bc219d4b82", "RFC 5849: verifier"),
    ("584b27d64ebc1b3341f7fc9a9c3f1a54422e9a1ca3079fd5531d9f489219f8d0", "RFC 6749: client credentials"),
    (
        "59feecfa04eb096ba44eed297e4239fa32d8840cbc1ffb8ff2f7fd8e8e0edd38",
        "Hardhat and Anvil: sixth account, with 0x",
    ),
    (
        "5de22089c247b9b2722ec5c33498e6bc481b1faba85f4da957f8b84679fcf88c",
        "Hardhat and Anvil: fifth account, with 0x",
    ),
    (
        "60a09e4357868c1e9b801052726d061c370429f723db84523ed58ac354f6eb8a",
        "Hardhat and Anvil: first account, with 0x",
    ),
    ("64034b44c579b335ab5e85debbfe72789e970138cc8d296799c3833a2a8525fb", "Hardhat and Anvil: fourth account"),
    ("649e1f5c769e718ba10d1a702a36499a731441d960b06da91c4c97786bf84595", "RFC 5849: token secret"),
    ("6aa14267d94944e6b6483c81f5ad37f87bbc7e88aa368d4aba1e71e0b79cd8c4", "RFC 5849: temporary secret"),
    ("6c96130f130ab0d6d158397e24d2bcc1c9a5e73ae081f6e983f1c7b545d24a4c", "RFC 6749: access token"),
    (
        "6d7fa4e64d4b1f3ea31962e258b684de1f244434ebb11089b9d9817e44c43303",
        "GitHub documentation: refresh token",
    ),
    (
        "78314b11be2e581549ac1c4f616563fad3fdf0c3b71678f6e2299182080e0598",
        "AWS documentation: secret access key",
    ),
    (
        "797c0ce414586cc8eb6929afe947c720e3e4d351dd070a6fe39f630beaab3054",
        "GitHub documentation: server-to-server token",
    ),
    ("7f75367e7881255134e1375e723d1dea8ad5f6a4fdb79d938df1f1754a830606", "jwt.io: example token"),
    ("80f8b7c904d4a43f3b7036db73247daafe15b3f647b337d19031ff67b7c1a177", "RFC 5849: client key"),
    (
        "82e74299544e00738f9c0acb69b1eb348b3e20ffcfabcb34779bd37590fead6c",
        "GitHub documentation: user-to-server token",
    ),
    ("8335c55334821eefd4334369ff9c04a8594f161013cf9d87f58802d87297837e", "Hardhat and Anvil: second account"),
    ("967f21586cdf1248a862f2cfb330099701c942c2c7a7537c54f7ec48f8556505", "Hardhat and Anvil: tenth account"),
    (
        "96ff7c92fefc926b4aa322510544a062d154eec069ea35a51e3f60948f2c59fa",
        "GitHub partner programme: sample token",
    ),
    ("9c5d0a6656e5d3f36601d0bf98762be09bad5d7b164382c1d6c826324d6d599a", "Ganache: mnemonic"),
    ("a35b81a7d7927b70ec99270dd2362b88580a28574af812f2c02f56469579186f", "RFC 6749: authorization code"),
    (
        "b1471f544ceeea31333bde7e1ecbaad6eac0d4a749412ad29bd66ef895b81c6b",
        "Stripe documentation: publishable test key",
    ),
    ("b26ab6529d20ebebb4192256f202984754f785481c64b1a1aed58cac93b3617e", "Hardhat and Anvil: third account"),
    (
        "b69d88ff1ad5834ab1d8ed45f20d72b6ccf3429c9ccc75b93d14ca0ee00dec16",
        "Hardhat and Anvil: seventh account, with 0x",
    ),
    (
        "b6b9ee08c38f62da71fa150a8ada4a7a09c7d3c4a9f6445e51e5a4b2c6395368",
        "Hardhat and Anvil: eighth account, with 0x",
    ),
    ("b8e148545b13c78bc74da2f1a7275dd71e56ddece129d7d2f7b3ecc06f7994da", "RFC 6750: access token"),
    (
        "bb4978fbe7638de8e6ee13d9a59a5fb047beb0f0ee059fe166541b1f96b6af63",
        "Hardhat and Anvil: third account, with 0x",
    ),
    ("bb9b1163338b2a51495834ad5c65420443d6327381cf0f94ebf92b117f209d72", "RFC 5849: access token"),
    ("bc1a50966c9e6486bc4ebf880b51611a2a97fcb8e7a6976e9b81a9e3e8ca0e3c", "Hardhat and Anvil: first account"),
    ("bc3ae723f57c6b9e3fd80b699fcc420f6074b0b1718039669d22631d508ac0a7", "GitHub documentation: OAuth token"),
    (
        "be394de37f9d6cf6682434e9f15a4f891eca9b614bf79da2da22a8e48a658fcd",
        "Hardhat and Anvil: ninth account, with 0x",
    ),
    (
        "c6ea27c534f993d31f0aef882e3d200e7b87470c379ae79c8f9b19d3bd363dc9",
        "AWS documentation: second access key id",
    ),
    ("ca7459e2b26776de081b9a07e40227fd6cff232a1e3233ff6b6aa6d036ca9981", "RFC 6749: client credentials"),
    ("cb87c87e4a138d9a72259d2a01bab15623c9846e568c1509b287721645a6ea53", "RFC 5849: client secret"),
    (
        "dd0102d1cd0c6ac702573e3e7551fc6cec26596b6287348804c1b0f9544b5bf9",
        "Hardhat and Anvil: tenth account, with 0x",
    ),
    (
        "e21b597ba6b9cafa59d9ebc4d65c0385f5eb3fa56abab2607fa76589ad849a33",
        "AWS documentation: second secret access key",
    ),
    ("e9974c507d2a802143f614c878fcbb622a3800e05e6e0d329fee2c5b6b243329", "RFC 6749: client secret"),
    (
        "f02322197a196ceb746aa52cee2a869abf0fe231c4d6d050a8a5f02c6625a1d4",
        "Hardhat and Anvil: fourth account, with 0x",
    ),
    ("f070994a8599478580678f2b9482c5f02bb3de0647281e8efae183669425808a", "Hardhat and Anvil: eighth account"),
    (
        "f5c388734d28087b33b453e43c4383711da5a9948dcbb607b7bdbebc176ab7d8",
        "Slack documentation: incoming webhook",
    ),
    ("f79cd64f9cea237897b8133e4b905b361c6f166faa5a1c64c32280938f5b707e", "Hardhat and Anvil: mnemonic"),
    ("fd6c6237e96ac7bfeee9140f7d2a622bdf1369631b9662e3f7add36f4c4dc148", "Cosmos DB emulator: account key"),
];

/// Where `secret` was published as a sample, if it was.
///
/// Besides the table: AWS marks its sample key ids with a final `EXAMPLE` and its sample secret
/// keys with `EXAMPLEKEY`.
pub(super) fn published(info: &RuleInfo, secret: &[u8]) -> Option<&'static str> {
    if info.provider == "aws" && secret.ends_with(b"EXAMPLE") {
        return Some("AWS documentation: key id marked as an example");
    }
    if secret.len() >= 20 && memchr::memmem::find(secret, b"EXAMPLEKEY").is_some() {
        return Some("AWS documentation: secret key marked as an example");
    }
    let hash = if info.kind == "block" { hex_of(&block_body(secret)) } else { hex_of(secret) };
    SAMPLES.binary_search_by(|(known, _)| known.cmp(&hash.as_str())).ok().map(|at| SAMPLES[at].1)
}

/// The Base64 body of a PEM block, without its label lines and white space; line feeds written
/// as `\n` are taken for such.
fn block_body(block: &[u8]) -> Vec<u8> {
    let dashes = b"-----";
    let body = match memchr::memmem::find_iter(block, dashes).nth(1) {
        Some(at) => &block[at + dashes.len()..],
        None => block,
    };
    let end = memchr::memmem::find(body, dashes).unwrap_or(body.len());
    let mut out = Vec::with_capacity(end);
    let mut bytes = body[..end].iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        if byte == b'\\' {
            bytes.next();
        } else if !byte.is_ascii_whitespace() {
            out.push(byte);
        }
    }
    out
}

fn hex_of(bytes: &[u8]) -> String {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        // NOTE: writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::testing::info;

    #[test]
    fn the_table_is_sorted_and_well_formed() {
        assert!(SAMPLES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(SAMPLES.iter().all(|(hash, _)| hash.len() == 64));
    }

    #[test]
    fn famous_samples_are_known() {
        let id = ["AKIA", "IOSFODNN7", "EXAMPLE"].concat();
        assert!(published(&info("aws-key", "token"), id.as_bytes()).is_some());
        let stripe = ["sk_test_", "4eC39HqLyjW", "DarjtT1zdp7dc"].concat();
        assert!(published(&info("stripe", "token"), stripe.as_bytes()).is_some());
        let altered = ["sk_test_", "4eC39HqLyjW", "DarjtT1zdp7dd"].concat();
        assert!(published(&info("stripe", "token"), altered.as_bytes()).is_none());
        let hardhat = "test ".repeat(11) + "junk";
        assert!(published(&info("mnemonic", "generic"), hardhat.as_bytes()).is_some());
    }

    #[test]
    fn example_marks_need_length_or_provider() {
        let marked = ["wJalrXUtnFEMI", "/K7MDENG/", "EXAMPLEKEY"].concat();
        assert!(published(&info("nobodys-value", "generic"), marked.as_bytes()).is_some());
        assert!(published(&info("nobodys-value", "generic"), b"myEXAMPLEKEY").is_none());
        assert!(published(&info("nobodys-value", "generic"), b"this-is-an-EXAMPLE").is_none());
    }

    #[test]
    fn block_bodies_do_not_depend_on_line_ends() {
        let pem = |sep: &str| {
            let dashes = "-".repeat(5);
            format!("{dashes}BEGIN X{dashes}{sep}abc{sep}def{sep}{dashes}END X{dashes}")
        };
        for sep in ["\n", "\r\n", "\\n", "\\r\\n"] {
            assert_eq!(block_body(pem(sep).as_bytes()), b"abcdef", "{sep:?}");
        }
    }
}
