//! Which proxy is chosen, and what its address may be.

use ureq::ProxyProtocol;

use super::*;

fn chosen(server: &str, variables: &[(&str, &str)]) -> Option<String> {
    let get = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value));
    chosen_by_environment(&server.parse().expect("an address"), get).expect("text").map(|(name, _)| name)
}

#[test]
fn the_environment_chooses_as_for_curl() {
    let all = [("http_proxy", "a"), ("HTTPS_PROXY", "b"), ("ALL_PROXY", "c")];
    assert_eq!(chosen("http://x", &all).as_deref(), Some("http_proxy"));
    assert_eq!(chosen("https://x", &all).as_deref(), Some("HTTPS_PROXY"));
    assert_eq!(chosen("https://x", &[("http_proxy", "a"), ("ALL_PROXY", "c")]).as_deref(), Some("ALL_PROXY"));
    assert_eq!(chosen("http://x", &[("HTTP_PROXY", "a"), ("all_proxy", "c")]).as_deref(), Some("HTTP_PROXY"));
    assert_eq!(chosen("http://x", &[("http_proxy", " "), ("all_proxy", "c")]).as_deref(), Some("all_proxy"));
    assert_eq!(chosen("https://x", &[("http_proxy", "a")]), None);
    assert_eq!(chosen("http://x", &[]), None);
    assert_eq!(chosen("http://x.example", &[("all_proxy", "c"), ("NO_PROXY", "example")]), None);
    assert_eq!(
        chosen("http://x.example", &[("all_proxy", "c"), ("no_proxy", "other"), ("NO_PROXY", "*")]).as_deref(),
        Some("all_proxy")
    );
}

#[test]
fn exceptions_are_names_addresses_and_networks() {
    for (list, host) in [
        ("*", "x"),
        ("example.com", "example.com"),
        ("example.com", "www.Example.com"),
        (".example.com", "example.com"),
        ("a, b\tc", "c"),
        ("127.0.0.1", "127.0.0.1"),
        ("10.0.0.0/8", "10.1.2.3"),
        ("::1", "[::1]"),
        ("fe80::/10", "[fe80::7]"),
        ("0.0.0.0/0", "8.8.8.8"),
        ("x.", "x."),
    ] {
        assert!(is_excepted(list, host), "{list} {host}");
    }
    for (list, host) in [
        ("", "x"),
        (",.,", "x"),
        ("example.com", "myexample.com"),
        ("example.com", "example.com.evil"),
        ("10.0.0.0/8", "11.0.0.1"),
        ("10.0.0.0/33", "10.0.0.1"),
        ("0.0.0.0/0", "[::1]"),
        ("0.1", "127.0.0.1"),
        ("x*", "xy"),
    ] {
        assert!(!is_excepted(list, host), "{list} {host}");
    }
}

#[test]
fn addresses_of_proxies() {
    for (text, address, protocol) in [
        ("socks5h://127.0.0.1:9050", "socks5h://127.0.0.1:9050", ProxyProtocol::Socks5h),
        ("SOCKS5://tor/", "socks5://tor:1080", ProxyProtocol::Socks5),
        ("socks://tor", "socks4://tor:1080", ProxyProtocol::Socks4),
        ("socks4a://tor:1", "socks4a://tor:1", ProxyProtocol::Socks4A),
        ("proxy.example", "http://proxy.example:1080", ProxyProtocol::Http),
        ("user:p%40ss@proxy.example:8080", "http://proxy.example:8080", ProxyProtocol::Http),
        ("https://[::1]", "https://[::1]:443", ProxyProtocol::Https),
        ("http://[::1]:3128/?x", "http://[::1]:3128", ProxyProtocol::Http),
    ] {
        let via = read_proxy("X", text).expect(text);
        assert_eq!((via.address.as_str(), via.proxy.protocol()), (address, protocol), "{text}");
    }
    for text in [
        "ftp://x",
        "socks6://x",
        "http://",
        "http://:80",
        "http://x:0",
        "http://x:99999",
        "http://a b",
        "socks4://u@x",
        "://x",
    ] {
        assert_eq!(read_proxy("X", text).expect_err(text).kind(), Code::BadArgument, "{text}");
    }
    let message = read_proxy("X", "gopher://user:hunter2@x").expect_err("a scheme").message().to_owned();
    assert!(!message.contains("hunter2") && message.contains("gopher"), "{message}");
    assert!(!format!("{:?}", read_proxy("X", "http://user:hunter2@x").expect("a proxy")).contains("hunter2"));
}
