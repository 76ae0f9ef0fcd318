//! The program's output contains no secrets.

use crate::program::{Folder, Run};

/// Letters of an alphabet, in a different order for each seed.
fn noise(alphabet: &str, length: usize, seed: u32) -> String {
    let letters: Vec<char> = alphabet.chars().collect();
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    let letter = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        letters[usize::try_from(state >> 16).expect("small") % letters.len()]
    };
    (0..length).map(letter).collect()
}

/// Whether a text contains eight consecutive letters of a secret.
fn tells(text: &str, secret: &str) -> bool {
    secret.as_bytes().windows(8).any(|run| text.as_bytes().windows(8).any(|seen| seen == run))
}

/// Places where a prime, `P`, may appear in an input that should be a key or numbers.
const PLACES: [&str; 24] = [
    "P",
    "P P",
    "[P, P]",
    "{P: P}",
    r#"{"p": P}"#,
    r#"{"p": P"#,
    r#"{"p": P, "q": P}"#,
    r#"{"p": P, "p": P}"#,
    r#"{"p": [P], "q": [P]}"#,
    r#"{"p": {"x": P}, "q": 1}"#,
    r#"{"p": 1, "q": Px}"#,
    r#"{"kty": P}"#,
    r#"{"kty": "DAJ", "n": P}"#,
    r#"{"kty": "DAJ", "p": P, "q": P}"#,
    r#"{"kty": "DAJ", "p": "AQAB", "q": "AQAB", "pub": P}"#,
    r#"{"pub": {"n": [P]}}"#,
    r#"{"n": P}"#,
    r#"{"n": P, "g": P}"#,
    r#"{"v": P, "e": 0}"#,
    r#"{"v": 5, "e": P}"#,
    r#"{"public_key": P, "values": []}"#,
    r#"{"public_key": {"n": P}, "values": [[P, P]]}"#,
    r#"{"public_key": {"n": P}, "values": P}"#,
    r#"{"public_key": {"n": P}, "values": [P]}"#,
];

#[test]
fn no_error_about_a_document_quotes_it() {
    let folder = Folder::new();
    let digits = noise("0123456789", 309, 1).replacen('0', "7", 1);
    let base64 = noise("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", 171, 2);
    let check = |command: &str, document: &str| {
        folder.write("key.json", document.as_bytes());
        let run = folder.run(command);
        let errors = run.errors();
        // If it is read as a ciphertext, the number may happen to decrypt.
        assert!(errors.is_empty() || errors.starts_with("error["), "{document}: {errors}");
        for secret in [&digits, &base64] {
            assert!(!tells(&errors, secret), "{document}: {errors}");
        }
        for word in ["struct", "KeyDocument", "NumbersDocument", "RawValue", "borrowed"] {
            assert!(!errors.contains(word), "{document}: {errors}");
        }
    };
    for place in PLACES {
        let text = [format!("\"{digits}\""), format!("\"{base64}\"")];
        for prime in
            [&text[..], &[digits.clone(), format!("-{digits}"), format!("{digits}.5"), base64.clone()]].concat()
        {
            check("phe import-key key.json --out new.key", &place.replace('P', &prime));
        }
        check("phe import-key key.json --out new.key", &place.replace('P', &format!("\"{base64}")));
        check("phe decrypt --key my.key key.json", &place.replace('P', &text[1]));
        check("phe decrypt --key my.key key.json", &place.replace('P', &digits));
    }
}

#[test]
fn faults_of_a_document_have_a_place_and_marks_before_text_are_skipped() {
    let folder = Folder::new();
    folder.write("key.json", b"{\n  \"n\": 5,\n  \"kty\": 7\n}");
    let message = folder.run("phe import-key key.json --out new.pub").error("bad_argument");
    assert!(message.contains("line 3"), "{message}");
    folder.run("phe export-key my.pub --out my.json").ok();
    folder.write("marked.json", &[b"\xef\xbb\xbf", &folder.read("my.json")[..]].concat());
    folder.run("phe import-key marked.json --out again.pub").ok();
    assert_eq!(folder.read("again.pub"), folder.read("my.pub"));
}

#[test]
fn no_error_tells_the_password_in_an_address() {
    let folder = Folder::new();
    folder.write_png("photo.png", &crate::program::picture(9, 7, 3, 11));
    folder.run("encrypt --key my.key photo.png --out photo.slt").ok();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let check = |run: Run, what: &str| {
        let errors = run.errors();
        assert!(errors.starts_with("error"), "{what}: {errors}");
        assert!(!errors.contains("geheim") && !errors.contains("anna"), "{what}: {errors}");
    };
    for address in [
        format!("http://anna:geheim@{nobody}"),
        "https://anna:geheim@127.0.0.1:1/folder".into(),
        "http://anna:geheim@127.0.0.1:99999".into(),
        "http://anna:geheim@127.0.0.1:0".into(),
        "http://anna:geheim@".into(),
        "http://anna:gehe/geheim@127.0.0.1".into(),
        "http://an na:geheim@127.0.0.1".into(),
        "ftp://anna:geheim@127.0.0.1".into(),
        "anna:geheim@127.0.0.1:8080".into(),
    ] {
        check(folder.run_with(["filter", "mean", "photo.slt", "--out", "x.slt", "--server", &address]), &address);
        for flag in ["--vault-url", "--embedder", "--allow-origin", "--connect-src", "--host", "--listen"] {
            let vault = ["--vault", ".", "--page", "."];
            folder.write("index.html", b"");
            check(folder.run_with([&["serve", flag, &address][..], &vault].concat()), &format!("{flag} {address}"));
        }
    }
}
