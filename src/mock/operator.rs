//! The operator's file that sends requests for real providers to the mock, and nowhere else.

use std::net::SocketAddr;

use super::drill::drill_operator;

/// Hosts whose requests the mock understands.
const HOSTS: [&str; 8] = [
    "api.github.com",
    "gitlab.com",
    "sts.amazonaws.com",
    "iam.amazonaws.com",
    "sts.us-gov-west-1.amazonaws.com",
    "iam.us-gov.amazonaws.com",
    "sts.cn-north-1.amazonaws.com.cn",
    "iam.cn-north-1.amazonaws.com.cn",
];

/// An operator's file for rehearsals against the mock at `address`: nothing but loopback is reached.
#[must_use]
pub fn operator_file(address: SocketAddr) -> String {
    let hosts: String = HOSTS.iter().map(|host| format!("\"{host}\" = \"{address}\"\n")).collect();
    drill_operator(address).replacen("[network.loopback]\n", &format!("[network.loopback]\n{hosts}"), 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_believed_and_leads_nowhere_else() {
        let address = "127.0.0.1:4711".parse().expect("is an address");
        let operator = crate::validate::Operator::parse(&operator_file(address)).expect("is one");
        assert!(operator.loopback_only);
        assert_eq!(operator.loopback.get("api.github.com"), Some(&address));
        assert_eq!(operator.loopback.len(), HOSTS.len() + 1);
    }
}
